import { addedUp, noReport, onlineElsewhere } from "../../../../bench/im/crowd.ts";
import { offer } from "../../../../bench/im/offer.ts";
import { sentToRooms } from "../../../../bench/im/storm.ts";

describe("the crowd of the storm", () => {
  it("is added up over its processes", () => {
    const one = { onlineAt: [1, 2], missed: 3, duplicates: 1, off: 2, gaps: 1, setbacks: { "closed 1006": 2 } };
    const other = { onlineAt: [3], missed: 1, duplicates: 0, off: 1, gaps: 0, setbacks: { "closed 1006": 1, away: 5 } };
    expect(addedUp([one, other])).toEqual({
      ...{ onlineAt: [1, 2, 3], missed: 4, duplicates: 1, off: 3, gaps: 1 },
      setbacks: { "closed 1006": 3, away: 5 },
    });
    expect(addedUp([])).toEqual(noReport());
  });

  it("is back where it is connected to another node than the one that died", () => {
    expect(onlineElsewhere([{ a: 3, b: 2 }, { b: 5 }, {}], "a")).toBe(7);
    expect(onlineElsewhere([{ a: 3, b: 2 }], "")).toBe(5);
  });

  it("is to see as many orders as its room was sent", async () => {
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
