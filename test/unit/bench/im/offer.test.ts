import fc from "fast-check";
import { offer, orderIdAt, type RoomGifts, sentAt } from "../../../../bench/im/offer.ts";
import { orderTag } from "../../../../services/im-server/frames-v2.ts";

/** What was sent to rooms, and a way to send it there. */
function recorder(refuse: (batch: number) => boolean = () => false) {
  const batches: { at: number; rooms: RoomGifts[] }[] = [];
  const send = async (rooms: RoomGifts[]) => {
    batches.push({ at: performance.now(), rooms });
    if (refuse(batches.length)) throw new Error("no");
  };
  const gifts = () =>
    batches.flatMap(({ rooms }) => rooms.flatMap(({ roomId, gifts }) => gifts.map((gift) => ({ roomId, ...gift }))));
  return { send, gifts, batches };
}

describe("an offer of gifts", () => {
  it("has rate × time gifts, rooms in turn, and the sum of each room", async () => {
    const { send, gifts } = recorder();
    const offered = await offer(send, { rooms: [7, 8, 9], perSecond: 1_000, seconds: 0.1, senders: 10 });
    expect(offered).toMatchObject({ gifts: 100, refused: 0 });
    for (const [room, count] of [[7, 34] as const, [8, 33] as const, [9, 33] as const]) {
      const there = gifts().filter(({ roomId }) => roomId === room);
      expect(there).toHaveLength(count);
      expect(there.reduce((sum, gift) => sum + gift.count, 0)).toBe(offered.sums.get(room));
    }
    expect(new Set(gifts().map(({ senderId }) => senderId)).size).toBe(10);
  });

  it("is steady: no gift is sent before it is due", async () => {
    const { send, batches } = recorder();
    const startedAt = performance.now();
    const { seconds } = await offer(send, { rooms: [1], perSecond: 100, seconds: 0.2, senders: 1 });
    let sent = 0;
    for (const { at, rooms } of batches) {
      sent += rooms[0]?.gifts.length ?? 0;
      expect(sent).toBeLessThanOrEqual(Math.floor((at - startedAt) / 10) + 1);
    }
    expect(seconds).toBeGreaterThanOrEqual(0.19);
  });

  it("never repeats an order's tag, which has the time", async () => {
    const { send, gifts } = recorder();
    const before = Date.now();
    for (let i = 0; i < 2; i++) await offer(send, { rooms: [1], perSecond: 1_000, seconds: 0.02, senders: 1 });
    const tags = gifts().map(({ orderId }) => orderTag(orderId));
    expect(new Set(tags).size).toBe(40);
    for (const tag of tags) {
      expect(sentAt(tag)).toBeGreaterThanOrEqual(before);
      expect(sentAt(tag)).toBeLessThanOrEqual(Date.now());
    }
  });

  it("an order id has the time it was sent at, to the millisecond, whatever its number", () => {
    const times = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });
    fc.assert(
      fc.property(times, fc.nat(2 ** 31), fc.nat(3_600_000), (sent, n, laterMs) => {
        expect(orderIdAt(sent, n)).toHaveLength(36);
        expect(sentAt(orderIdAt(sent, n), sent + laterMs)).toBe(sent);
      }),
    );
  });

  it("counts the gifts that are refused", async () => {
    const { send, batches } = recorder((batch) => batch === 2);
    const offered = await offer(send, { rooms: [1], perSecond: 500, seconds: 0.1, senders: 1 });
    expect(offered.refused).toBe(batches[1]?.rooms[0]?.gifts.length);
    expect(offered.refused).toBeGreaterThan(0);
  });

  it("ends early on demand and returns how much was sent", async () => {
    const { send, gifts } = recorder();
    const enough = () => gifts().length >= 5;
    const offered = await offer(send, { rooms: [1], perSecond: 100, seconds: 60, senders: 1, enough });
    expect(offered.gifts).toBe(gifts().length);
    expect(offered.seconds).toBeLessThan(5);
  });
});
