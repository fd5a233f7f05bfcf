import { addedUp, elsewhere, noReport, type Online } from "../../../../bench/im/crowd.ts";
import { offer } from "../../../../bench/im/offer.ts";
import { backTimes, sentToRooms } from "../../../../bench/im/storm.ts";

describe("the crowd of the storm", () => {
  it("is summed over its processes", () => {
    const one = { onlineAt: [1, 2], missed: 3, duplicates: 1, off: 2, gaps: 1, setbacks: { "closed 1006": 2 } };
    const other = { onlineAt: [3], missed: 1, duplicates: 0, off: 1, gaps: 0, setbacks: { "closed 1006": 1, away: 5 } };
    expect(addedUp([one, other])).toEqual({
      ...{ onlineAt: [1, 2, 3], missed: 4, duplicates: 1, off: 3, gaps: 1 },
      setbacks: { "closed 1006": 3, away: 5 },
    });
    expect(addedUp([])).toEqual(noReport());
  });

  it("is back where it is connected to another node than the dead one", () => {
    const online: Online[] = [
      { nodes: { a: 3, b: 2 }, gone: 1 },
      { nodes: { b: 5 }, gone: 0 },
      { nodes: {}, gone: 2 },
    ];
    expect(elsewhere(online, "a")).toEqual({ here: 7, gone: 3 });
    expect(elsewhere(online, "")).toEqual({ here: 10, gone: 3 });
  });

  it("is back when its last member is", () => {
    expect(backTimes([1_500, 1_100, 3_000], 1_000)).toEqual({ backMs: 2_000, backP50Ms: 500, back: 3 });
  });

  it.each([
    ["is not connected", 0],
    ["was let in before the kill, not after it", 999],
  ])("is not back where somebody %s", (_what, at) => {
    expect(backTimes([1_500, at], 1_000)).toEqual({ backMs: null, backP50Ms: 500, back: 1 });
  });

  it("expects as many orders as were sent to its room", async () => {
    const sent = new Map<number, number>();
    const send = async (rooms: { roomId: number; gifts: unknown[] }[]) => {
      for (const { roomId, gifts } of rooms) sent.set(roomId, (sent.get(roomId) ?? 0) + gifts.length);
    };
    const offered = await offer(send, { rooms: [4, 5, 6], perSecond: 1_000, seconds: 0.02, senders: 1 });
    const rooms = sentToRooms(offered);
    expect(new Map([...rooms].map(([roomId, { orders }]) => [roomId, orders]))).toEqual(sent);
    expect([...rooms.values()].reduce((sum, room) => sum + room.orders, 0)).toBe(20);
  });
});
