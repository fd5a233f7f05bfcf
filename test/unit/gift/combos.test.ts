import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { Combos } from "../../../services/gift/combos.ts";

const start = Date.parse("2026-11-26T16:00:00.000Z");
const gap = limits.gift.comboGapMs;
let orders = 0;
const gift = (atMs: number, changed: Partial<Parameters<Combos["add"]>[0]> = {}) => ({
  orderId: `o${++orders}`,
  senderId: "7",
  giftId: 3,
  roomId: 5,
  count: 1,
  time: new Date(start + atMs).toISOString(),
  ...changed,
});

test("gifts of one sender, gift and room at most 5 s apart are one streak, which counts their pieces", () => {
  const combos = new Combos();
  const shown = [0, gap, 2 * gap].map((at) => combos.add(gift(at, { count: 10 })));
  expect(shown.map(({ count }) => count)).toEqual([10, 20, 30]);
  expect(new Set(shown.map(({ id }) => id)).size).toBe(1);
  const next = combos.add(gift(3 * gap + 1));
  expect([next.count, next.id === shown[0]?.id]).toEqual([1, false]);
});

test.each([{ senderId: "8" }, { giftId: 4 }, { roomId: 6 }])("another %j is another streak", (other) => {
  const combos = new Combos();
  const [one, two, again] = [gift(0), gift(1, other), gift(2)].map((sent) => combos.add(sent));
  expect([one?.count, two?.count, again?.count]).toEqual([1, 1, 2]);
  expect([two?.id === one?.id, again?.id === one?.id]).toEqual([false, true]);
});

test("another receiver in the room is the same streak", () => {
  const combos = new Combos();
  const to = (receiverId: string) => combos.add({ ...gift(0), receiverId } as never).count;
  expect([to("1"), to("2")]).toEqual([1, 2]);
});

test("times that are equal or slightly out of order do not end a streak, and do not make it older", () => {
  const combos = new Combos();
  const counts = [1_000, 1_000, 900, 1_000 + gap].map((at) => combos.add(gift(at)).count);
  expect(counts).toEqual([1, 2, 3, 4]);
});

test("a repeat of an order is shown as it was and does not count again", () => {
  const combos = new Combos();
  const first = gift(0, { count: 3 });
  const shown = combos.add(first);
  combos.add(gift(10));
  expect(combos.add(first)).toEqual(shown);
  expect(combos.add(gift(20)).count).toBe(5);
});

test("a gift of long ago, and one without a time, begin a streak and do not end the open one", () => {
  const combos = new Combos();
  const open = combos.add(gift(60_000));
  const old = combos.add(gift(0));
  const timeless = combos.add(gift(0, { time: "no time" }));
  expect([old.count, timeless.count, new Set([open.id, old.id, timeless.id]).size]).toEqual([1, 1, 3]);
  expect(combos.add(gift(60_001))).toEqual({ id: open.id, count: 2 });
});

test("of too many streaks the one without gifts for the longest is forgotten first", () => {
  const combos = new Combos({ streaks: 3, orders: 100 });
  const add = (senderId: string) => combos.add(gift(0, { senderId })).count;
  expect(["1", "2", "3", "1", "4", "1", "3", "2"].map(add)).toEqual([1, 1, 1, 2, 1, 3, 2, 1]);
});

test("of too many orders the oldest is forgotten first", () => {
  const combos = new Combos({ streaks: 10, orders: 2 });
  const [first, second, third] = [gift(0), gift(0), gift(0)] as const;
  for (const sent of [first, second, third]) combos.add(sent);
  expect([second, third, first].map((sent) => combos.add(sent).count)).toEqual([2, 3, 4]);
});

test("ids are short, and different for each streak and node", () => {
  const nodes = [new Combos(), new Combos()];
  const ids = Array.from(
    { length: 20_000 },
    (_, i) => nodes[i % 2]?.add(gift(0, { senderId: String(i + 1) })).id ?? "",
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(8);
});

test("over any gifts in order, a streak's last count is the sum of its gifts", () => {
  const sent = fc.array(
    fc.record({
      waitMs: fc.constantFrom(0, 1, gap, gap + 1),
      senderId: fc.constantFrom("7", "8"),
      count: fc.integer({ min: 1, max: 9_999 }),
      repeat: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(sent, (gifts) => {
      const combos = new Combos({ streaks: 10, orders: 100 });
      const sums = new Map<string, number>();
      const last = new Map<string, number>();
      let at = 0;
      for (const { waitMs, senderId, count, repeat } of gifts) {
        at += waitMs;
        const one = gift(at, { senderId, count });
        const combo = combos.add(one);
        sums.set(combo.id, (sums.get(combo.id) ?? 0) + count);
        last.set(combo.id, combo.count);
        if (repeat) expect(combos.add(one)).toEqual(combo);
      }
      expect(Object.fromEntries(last)).toEqual(Object.fromEntries(sums));
    }),
  );
});

test("memory is bounded with more open streaks than are remembered", () => {
  const combos = new Combos({ streaks: 1_000, orders: 1_000 });
  for (let i = 0; i < 20_000; i++) combos.add(gift(0, { senderId: String(i + 1) }));
  expect(combos.size).toEqual({ streaks: 1_000, orders: 1_000 });
});
