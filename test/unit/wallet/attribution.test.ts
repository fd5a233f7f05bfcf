import fc from "fast-check";
import { Attribution, type EarlierRefund, type SpentGift } from "../../../services/wallet/holds/attribution.ts";
import { decide } from "../../../services/wallet/ledger.ts";
import type { Account, Command } from "../../../services/wallet/posting.ts";

type Gift = { kind: "gift"; coins: number; sharePercent: number };
type Refund = { kind: "refund"; shortfall: number };
type Entry = Gift | Refund;

const amount = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 10 ** 6 }),
  // The largest amount whose hundredths are still safe integers.
  fc.constant(Math.floor(Number.MAX_SAFE_INTEGER / 100)),
);
const gift: fc.Arbitrary<Gift> = fc.tuple(amount, fc.integer({ min: 0, max: 100 })).map(([coins, sharePercent]) => ({
  kind: "gift",
  coins,
  sharePercent,
}));
const refund: fc.Arbitrary<Refund> = fc
  .oneof(fc.constant(0), amount)
  .map((shortfall) => ({ kind: "refund", shortfall }));
/** A payer's ledger, oldest first. */
const ledger = fc.array(fc.oneof(gift, gift, refund), { maxLength: 25 });

const spent = (entry: Gift, at: number): SpentGift => ({
  ...entry,
  ...{ id: String(at), orderId: `gift-${at}`, anchorId: String(70 + (at % 3)), time: new Date(at) },
});
const told = (entry: Entry, at: number): SpentGift | EarlierRefund =>
  entry.kind === "gift" ? spent(entry, at) : entry;

/** The attribution of the refund at this index of the ledger, read backwards as the service does. */
function attributed(entries: readonly Entry[], at: number): Attribution {
  const attribution = new Attribution((entries[at] as Refund).shortfall);
  for (let before = at - 1; before >= 0; before--) attribution.take(told(entries[before] as Entry, before));
  return attribution;
}

const refundsOf = (entries: readonly Entry[]) =>
  entries.flatMap((entry, at) => (entry.kind === "refund" && entry.shortfall > 0 ? [at] : []));

/**
 * The same rule read forwards: each refund in its order takes coins from the latest gifts that have unclaimed coins.
 * Returns the claimed coins by refund and gift.
 */
function model(entries: readonly Entry[]): Map<number, Map<number, { from: number; coins: number }>> {
  const rests: { at: number; coins: number; left: number }[] = [];
  const taken = new Map<number, Map<number, { from: number; coins: number }>>();
  for (const [at, entry] of entries.entries()) {
    if (entry.kind === "gift") rests.push({ at, coins: entry.coins, left: entry.coins });
    else {
      let need = entry.shortfall;
      const mine = new Map<number, { from: number; coins: number }>();
      for (const rest of [...rests].reverse()) {
        const coins = Math.min(need, rest.left);
        if (coins > 0) mine.set(rest.at, { from: rest.coins - rest.left, coins });
        need -= coins;
        rest.left -= coins;
      }
      taken.set(at, mine);
    }
  }
  return taken;
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + BigInt(number), 0n);

describe("the attribution of a refund's shortfall", () => {
  test("read backwards for one refund, it is the same as for all refunds in their order", () => {
    fc.assert(
      fc.property(ledger, (entries) => {
        const expected = model(entries);
        for (const at of refundsOf(entries)) {
          const parts = attributed(entries, at).parts.map(({ gift: { id }, coinsFrom, coins }) => [
            Number(id),
            { from: coinsFrom, coins },
          ]);
          expect(parts).toEqual([...(expected.get(at) ?? [])]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("covers the shortfall as far as there are gifts, and claims no coin twice over all refunds", () => {
    fc.assert(
      fc.property(ledger, (entries) => {
        const claimed = new Map<string, [from: number, to: number][]>();
        for (const at of refundsOf(entries)) {
          const { parts, uncovered } = attributed(entries, at);
          expect(sum(parts.map(({ coins }) => coins)) + BigInt(uncovered)).toBe(
            BigInt((entries[at] as Refund).shortfall),
          );
          for (const { gift: of, coinsFrom, coins } of parts) {
            expect(coins > 0 && coinsFrom >= 0 && coinsFrom + coins <= of.coins).toBe(true);
            const others = claimed.get(of.id) ?? [];
            expect(others.filter(([from, to]) => coinsFrom < to && from < coinsFrom + coins)).toEqual([]);
            claimed.set(of.id, [...others, [coinsFrom, coinsFrom + coins]]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("the shares of a gift's parts are whole points and add up to the anchor's share of the gift", () => {
    fc.assert(
      fc.property(ledger, (entries) => {
        const shares = new Map<string, { of: SpentGift; coins: bigint; share: bigint }>();
        for (const at of refundsOf(entries))
          for (const { gift: of, coins, sharePoints } of attributed(entries, at).parts) {
            expect(Number.isSafeInteger(sharePoints)).toBe(true);
            expect(BigInt(sharePoints)).toBe(BigInt(coins) * BigInt(of.sharePercent));
            const before = shares.get(of.id) ?? { of, coins: 0n, share: 0n };
            shares.set(of.id, { of, coins: before.coins + BigInt(coins), share: before.share + BigInt(sharePoints) });
          }
        for (const { of, coins, share } of shares.values())
          if (coins === BigInt(of.coins)) expect(share).toBe(BigInt(of.coins) * BigInt(of.sharePercent));
      }),
      { numRuns: 500 },
    );
  });

  test("finds gifts for every missing coin of a refund, except for earlier debts that were paid off", () => {
    const step = fc.record({
      kind: fc.constantFrom("pay", "give", "give", "refund"),
      coins: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const entries: Entry[] = [];
        const orders: number[] = [];
        let account: Account = { userId: "1", balance: 0, totalCharged: 0, debt: 0, status: 1 };
        let paidOff = 0;
        let uncovered = 0;
        for (const [at, { kind, coins }] of steps.entries()) {
          const refunded = kind === "refund" ? orders.splice(coins % Math.max(1, orders.length), 1)[0] : undefined;
          if (kind === "refund" && refunded === undefined) continue;
          if (kind === "pay") orders.push(coins);
          const money = { bizId: `${at}`, userId: "1", coins: refunded ?? coins };
          const command: Command =
            kind === "pay"
              ? { kind: "recharge", ...money }
              : kind === "refund"
                ? { kind: "refund", ...money }
                : { kind: "gift", bizId: `${at}`, userId: "1", receiverId: "2", amount: coins, incomePoints: 0 };
          const { changed, trades, debts } = decide(new Map([["1", account]]), new Map(), [command]);
          account = changed[0] ?? account;
          for (const { type, status, num } of trades)
            if (type === 0 && status === 1) entries.push({ kind: "gift", coins: -num, sharePercent: 0 });
          for (const { num } of debts) {
            if (num < 0) paidOff -= num;
            else {
              entries.push({ kind: "refund", shortfall: num });
              uncovered += attributed(entries, entries.length - 1).uncovered;
              expect(uncovered).toBeLessThanOrEqual(paidOff);
            }
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("rows after the refund do not change it", () => {
    fc.assert(
      fc.property(ledger, ledger, (before, after) => {
        for (const at of refundsOf(before))
          expect(attributed([...before, ...after], at).parts).toEqual(attributed(before, at).parts);
      }),
    );
  });

  test("the latest gift comes first, in part where the shortfall ends inside it; the next refund claims the rest", () => {
    const entries: Entry[] = [
      { kind: "gift", coins: 100, sharePercent: 51 },
      { kind: "gift", coins: 50, sharePercent: 50 },
      { kind: "refund", shortfall: 60 },
      { kind: "refund", shortfall: 100 },
    ];
    const plain = ({ parts, uncovered }: Attribution) => ({
      parts: parts.map(({ gift: { orderId }, coinsFrom, coins, sharePoints }) => ({
        orderId,
        coinsFrom,
        coins,
        sharePoints,
      })),
      uncovered,
    });
    expect(plain(attributed(entries, 2))).toEqual({
      parts: [
        { orderId: "gift-1", coinsFrom: 0, coins: 50, sharePoints: 2_500 },
        { orderId: "gift-0", coinsFrom: 0, coins: 10, sharePoints: 510 },
      ],
      uncovered: 0,
    });
    expect(plain(attributed(entries, 3))).toEqual({
      parts: [{ orderId: "gift-0", coinsFrom: 10, coins: 90, sharePoints: 4_590 }],
      uncovered: 10,
    });
  });

  test("is done and takes no more entries once the shortfall is covered", () => {
    const attribution = new Attribution(5);
    attribution.take(spent({ kind: "gift", coins: 5, sharePercent: 50 }, 2));
    expect(attribution.done).toBe(true);
    attribution.take(spent({ kind: "gift", coins: 5, sharePercent: 50 }, 1));
    expect(attribution.parts).toHaveLength(1);
    expect(new Attribution(0).done).toBe(true);
  });
});
