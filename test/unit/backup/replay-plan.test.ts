import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { readEvent } from "../../../scripts/restore/events.ts";
import { nextId } from "../../../scripts/restore/raise-ids.ts";
import { passes, seenIds, type Write, writesOf } from "../../../scripts/restore/replay-plan.ts";
import { reportText } from "../../../scripts/restore/report.ts";
import { ofKeptDatabases, paidSinceOf, replayFrom } from "../../../scripts/restore/run-restore.ts";
import { type DurableEventName, durableEvents } from "../../../services/contracts.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import { idBase } from "../../../services/wallet-servers.ts";

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
  expect(seenIds("gift.settled", { gifts: [gift()] })).toEqual([
    { service: "gift", table: "t_gift_record", server: 0, id: 70n },
  ]);
  const onB = gift({ recordId: String(idBase(1) + 7n) });
  expect(seenIds("gift.settled", { gifts: [onB] })).toMatchObject([{ server: 1, id: idBase(1) + 7n }]);
  expect(nextId(10n, 70n, 1_000)).toBe(1_071n);
  expect(nextId(100n, 70n, 1_000)).toBe(1_100n);
  expect(nextId(10n, undefined, 1_000)).toBe(1_010n);
});

describe("an event is refused, with the reason, where its rows could not be written", () => {
  const storedAt = new Date(time.getTime() + 1_000);
  const at = time.toISOString();
  const read = (name: string, data: unknown, publishedAt: string = at) =>
    readEvent(`${natsPrefix()}event.${name}`, Buffer.from(JSON.stringify({ time: publishedAt, data })), storedAt);
  const room = { roomId: 5, anchorId: "12", type: 1, roomName: "r", time: at };
  const placed = {
    restrictionId: "1",
    userId: "11",
    kind: "ban",
    roomId: null,
    until: null,
    reason: "r",
    by: "b",
    time: at,
  };
  const credited = { userId: "11", orderId: "p1", coins: 30, balanceAfter: 30, time: at };

  test("those that services publish are not", () => {
    for (const [name, data] of [
      [
        "gift.settled",
        { gifts: [gift(), gift({ status: "failed", income: 0, incomePoints: 0, reason: "giftToSelf" })] },
      ],
      ["room.opened", room],
      ["room.closed", { ...room, closedBy: "a", reason: "r" }],
      ["user.restricted", placed],
      ["user.restricted", { ...placed, until: "2027-01-01T00:00:00.000Z" }],
      ["user.registered", { userId: "11", time: at }],
      ["wallet.credited", credited],
      ["wallet.credited", { ...credited, orderId: `platform:credit:${"x".repeat(64)}` }],
    ] as const)
      expect(read(name, data)).toMatchObject({ name, time });
  });

  test.each<[string, string, unknown]>([
    ["a count beyond its column", "gifts.0.count", { gifts: [gift({ count: 2 ** 32 })] }],
    ["a time that is none", "gifts.1.time", { gifts: [gift(), gift({ time: "yesterday" })] }],
    ["a time in the future", "gifts.0.time is impossible", { gifts: [gift({ time: "2039-01-01T00:00:00.000Z" })] }],
    ["a record id near 2^53", "gifts.0.recordId", { gifts: [gift({ recordId: String(2 ** 53 - 1) })] }],
    ["an order id that a column takes for another", "gifts.0.orderId", { gifts: [gift({ orderId: "o1 " })] }],
    ["an amount that is not safe", "no amount", { gifts: [gift({ count: 2 ** 31, price: 2 ** 31 })] }],
    ["a share above the price", "share is above", { gifts: [gift({ incomePoints: 27_001 })] }],
    ["a gift to oneself that succeeded", "to oneself", { gifts: [gift({ receiverId: "11" })] }],
    ["a failed gift with a share", "failed with a share", { gifts: [gift({ status: "failed" })] }],
  ])("%s", (_what, why, data) => {
    expect(read("gift.settled", data)).toContain(why);
  });

  test.each<[string, string, unknown]>([
    ["room.opened", "roomId", { ...room, roomId: Number.MAX_SAFE_INTEGER }],
    ["room.opened", "roomName", { ...room, roomName: "r".repeat(61) }],
    ["room.opened", "type", { ...room, type: 1_000 }],
    ["room.closed", "reason", { ...room, reason: "r".repeat(201) }],
    ["user.restricted", "restrictionId", { ...placed, restrictionId: "x" }],
    ["user.restricted", "until", { ...placed, until: "never" }],
    ["user.registered", "time", { userId: "11", time: "" }],
    ["wallet.credited", "orderId", { ...credited, orderId: "x".repeat(100) }],
  ])("%s with an odd %s", (name, why, data) => {
    expect(read(name, data)).toContain(why);
  });

  test("an event of before the system, or of long after it was stored", () => {
    expect(read("gift.settled", { gifts: [gift()] }, "1990-01-01T00:00:00.000Z")).toBe("its time is impossible");
    expect(read("gift.settled", { gifts: [gift()] }, "2026-12-26T00:00:00.000Z")).toBe("its time is impossible");
  });
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

  test("into databases that were restored by other means everything is replayed, and what may be lost is in the list", () => {
    expect(replayFrom(backup, span, true)).toEqual({ from: 20, gap: null });
    expect(ofKeptDatabases(span)).toEqual({
      ...{ kind: "databases", subject: "EVENTS", detail: `event 20, of ${time.toISOString()}, is the oldest one` },
    });
    expect(ofKeptDatabases(undefined).detail).toBe("there is no stream of events");
  });
});

test("paid orders are looked at from before the backup on, since its clock and that of the stream may differ", () => {
  expect(paidSinceOf({ begun: time.toISOString() }, false).getTime()).toBe(
    time.getTime() - limits.backup.clockMarginMs,
  );
  expect(limits.backup.clockMarginMs).toBeGreaterThanOrEqual(60_000);
  expect(paidSinceOf({ begun: time.toISOString() }, true).getTime()).toBe(0);
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
