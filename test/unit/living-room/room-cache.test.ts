import type { LiveRoom } from "../../../services/living-room/living-room.contract.ts";
import { RoomCache } from "../../../services/living-room/room-cache.ts";

const room: LiveRoom = { roomId: 7, anchorId: "9007199254740993", type: 1, roomName: "a room" };

describe("the room cache", () => {
  test("looks once for what is asked again, and once for parallel questions", async () => {
    const load = jest.fn(async () => room);
    const cache = new RoomCache(load);
    expect(await Promise.all([cache.find(7), cache.find(7)])).toEqual([room, room]);
    expect(await cache.find(7)).toEqual(room);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("remembers that a room is not live", async () => {
    const load = jest.fn(async () => null);
    const cache = new RoomCache(load);
    expect(await cache.find(7)).toBeNull();
    expect(await cache.find(7)).toBeNull();
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("looks again once the room was forgotten", async () => {
    const answers = [room, null];
    const cache = new RoomCache(async () => answers.shift() ?? null);
    expect(await cache.find(7)).toEqual(room);
    cache.forget(7);
    expect(await cache.find(7)).toBeNull();
  });

  test("does not keep what was read before the room was forgotten", async () => {
    const reads: ((read: LiveRoom | null) => void)[] = [];
    const cache = new RoomCache(() => new Promise((resolve) => reads.push(resolve)));
    const early = cache.find(7);
    cache.forget(7);
    const late = cache.find(7);
    reads[0]?.(room);
    expect(await early).toEqual(room);
    reads[1]?.(null);
    expect(await late).toBeNull();
    expect(await cache.find(7)).toBeNull();
    expect(reads).toHaveLength(2);
  });

  test("a failed look is told to the one who asked, and not kept", async () => {
    const load = jest.fn(async () => room as LiveRoom | null);
    load.mockRejectedValueOnce(new Error("database away"));
    const cache = new RoomCache(load);
    await expect(cache.find(7)).rejects.toThrow("database away");
    expect(await cache.find(7)).toEqual(room);
  });
});
