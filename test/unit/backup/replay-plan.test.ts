import { nextId } from "../../../scripts/restore/raise-ids.ts";
import { passes, seenIds, type Write, writesOf } from "../../../scripts/restore/replay-plan.ts";
import { reportText } from "../../../scripts/restore/report.ts";
import { replayFrom } from "../../../scripts/restore/run-restore.ts";
import { type DurableEventName, durableEvents } from "../../../services/contracts.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";

const time = new Date("2026-11-26T14:05:00.000Z");
const gift = (over: Partial<SettledGift> = {}): SettledGift => ({
  ...{ orderId: "o1", recordId: "70", status: "succeeded", senderId: "11", receiverId: "12", roomId: 5, giftId: 22 },
  ...{ count: 3, price: 90, income: 135, incomePoints: 13_500, type: 1, url: "", time: "2026-11-26T14:04:59.000Z" },
  ...over,
});
const settled = (one: SettledGift) => writesOf("gift.settled", { gifts: [one] }, time);
const chargeOf = (writes: Write[]) => writes.flatMap((write) => (write.to === "ledger" ? [write.command] : []));

test("a gift is charged with the price and the share that it was settled with, and gets its record", () => {
  const writes = settled(gift());
  expect(chargeOf(writes)).toEqual([
    {
      ...{ kind: "gift", bizId: "o1", userId: "11", receiverId: "12", amount: 270, incomePoints: 13_500 },
      settledAs: "succeeded",
    },
  ]);
  expect(writes.at(-1)).toEqual({ to: "records", record: { gift: gift(), settled: time } });
});

test("a gift that failed for its coins leaves its rejected row again; one that was invalid in itself leaves none", () => {
  const failed = { status: "failed", income: 0, incomePoints: 0 } as const;
  expect(chargeOf(settled(gift({ ...failed, reason: "balanceShort" })))).toMatchObject([{ settledAs: "balanceShort" }]);
  expect(chargeOf(settled(gift({ ...failed, reason: "giftToSelf" })))).toEqual([]);
  expect(settled(gift({ ...failed, reason: "giftToSelf" }))).toHaveLength(1);
});

test("coins of a paid order and coins that the platform sold have different commands, and go before all else", () => {
  const about = { userId: "11", orderId: "p1", coins: 30, balanceAfter: 30, time: time.toISOString() };
  const [paid] = writesOf("wallet.credited", about, time);
  const [sold] = writesOf("wallet.credited", { ...about, externalOrderId: "x" }, time);
  expect(paid).toEqual({ to: "ledger", command: { kind: "recharge", bizId: "p1", userId: "11", coins: 30 } });
  expect(sold).toMatchObject({ command: { kind: "credit" } });
  for (const write of [paid, sold]) expect(passes.credits(write as Write)).toBe(true);
  for (const write of settled(gift())) expect([passes.credits(write), passes.others(write)]).toEqual([false, true]);
});

test("a refund is left to the signed order of stream PAY and to a person: the event alone takes nobody's coins", () => {
  const data = { orderId: "p1", userId: "11", amount: 300, coins: 30, reason: "r", time: time.toISOString() };
  expect(writesOf("payment.refunded", data, time)).toMatchObject([{ to: "person", note: { kind: "refund" } }]);
});

test("every event has a rule", () => {
  for (const name of Object.keys(durableEvents) as DurableEventName[])
    expect(() => writesOf(name, { gifts: [], sides: [] } as never, time)).not.toThrow();
});

test("numbers that events have seen are not given out again", () => {
  expect(seenIds("gift.settled", { gifts: [gift()] })).toEqual([{ service: "gift", table: "t_gift_record", id: 70n }]);
  expect(nextId(10n, 70n, 1_000)).toBe(1_071n);
  expect(nextId(100n, 70n, 1_000)).toBe(1_100n);
  expect(nextId(10n, undefined, 1_000)).toBe(1_010n);
});

describe("where the replay begins", () => {
  const backup = { created: "c", lastSequence: 50 };
  const span = { created: "c", first: 20, last: 90, firstTime: time };

  test("behind the last event before the databases' snapshot", () => {
    expect(replayFrom(backup, span, false)).toEqual({ from: 51, gap: null });
    expect(replayFrom(backup, { ...span, first: 51 }, false)).toEqual({ from: 51, gap: null });
  });

  test("what EVENTS has dropped is told, with the time until which nothing is known", () => {
    const { from, gap } = replayFrom(backup, { ...span, first: 60 }, false);
    expect(from).toBe(60);
    expect(gap).toEqual({ what: "EVENTS has dropped its events 51 to 59", untilTime: time.toISOString() });
  });

  test("a stream that was made again, or is gone, is a gap", () => {
    expect(replayFrom(backup, { ...span, created: "d" }, false).gap?.what).toMatch(/made again/);
    expect(replayFrom(backup, undefined, false).gap?.what).toMatch(/no stream of events/);
  });

  test("into databases that were restored by other means everything is replayed", () => {
    expect(replayFrom(backup, span, true)).toEqual({ from: 20, gap: null });
  });
});

test("the report names what is lost, what a person must do, and what has no event", () => {
  const text = reportText({
    backup: { id: "b", begun: "2026-11-26T03:00:00.000Z" },
    until: null,
    gap: { what: "EVENTS has dropped its events 51 to 59", untilTime: "2026-11-26T04:00:00.000Z" },
    ...{ events: 7, written: { users: 2 }, there: { users: 1 }, lent: 5, lostSeals: 1 },
    notes: [{ kind: "payment", subject: "p1", detail: "paid" }],
  });
  for (const part of ["users: 2 written, 1 were there", "5 coins were lent", "LOST: EVENTS has dropped", "p1: paid"])
    expect(text).toContain(part);
  expect(text).toMatch(/BEYOND RECOVERY.*payouts.*API keys.*revoked tokens/s);
});
