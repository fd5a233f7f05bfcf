import type { Sent, SentGift } from "../load/jobs.ts";
import type { RecordRow, TradeRow } from "./row-books.ts";

/** What clients were answered beside what the books have. Pure. */

export interface Compared {
  readonly gifts: { readonly accepted: number; readonly unknown: number; readonly refused: number };
  readonly payments: { readonly accepted: number; readonly unknown: number };
  /** Accepted gifts without a record and a charge of their own, and accepted payments without their credit. */
  readonly lost: number;
  /** Gifts or payments that are in the books more than once, or otherwise than asked for, or although refused. */
  readonly doubled: number;
  /** Neighbouring gifts of a sender that were charged in the other order. */
  readonly disordered: number;
  /** Accepted gifts that ended as failed although the sender had the coins. */
  readonly failed: number;
  /** Orders that ended as failed: no viewer has to see them. */
  readonly failedOrders: readonly string[];
  /** A sentence for each kind of fault, with examples. */
  readonly faults: readonly string[];
}

const examples = 3;

/** Faults by kind. */
class Faults {
  private readonly kinds = new Map<string, string[]>();

  add(kind: string, orderId: string): void {
    this.kinds.set(kind, [...(this.kinds.get(kind) ?? []), orderId]);
  }

  count(...kinds: readonly string[]): number {
    return kinds.reduce((sum, kind) => sum + (this.kinds.get(kind)?.length ?? 0), 0);
  }

  sentences(): string[] {
    return [...this.kinds].map(([kind, all]) => `${kind}: ${all.length}, e.g. ${all.slice(0, examples).join(", ")}`);
  }
}

export const faultKinds = {
  noRecord: "accepted gifts without a record",
  noCharge: "accepted gifts without a charge",
  noCredit: "paid orders without coins",
  twoRecords: "gifts with two records",
  twoCharges: "gifts with two charges",
  twoCredits: "paid orders with two credits",
  otherAmount: "rows of the ledger with another amount or user than was asked for",
  refused: "refused gifts that were charged",
  foreign: "charges of gifts that nobody sent",
  failed: "gifts that failed although the sender had the coins",
  disordered: "gifts of a sender that were charged before an earlier one",
} as const;

export function compare(sent: Sent, records: readonly RecordRow[], trades: readonly TradeRow[]): Compared {
  const faults = new Faults();
  const recordsOf = Map.groupBy(records, ({ orderId }) => orderId);
  const tradesOf = Map.groupBy(trades, ({ bizId }) => bizId);
  for (const gift of sent.gifts) compareGift(faults, gift, recordsOf.get(gift.orderId), tradesOf.get(gift.orderId));
  comparePayments(faults, sent, tradesOf);
  const known = new Set(sent.gifts.map(({ orderId }) => orderId));
  for (const { bizId, type } of trades) if (type === 0 && !known.has(bizId)) faults.add(faultKinds.foreign, bizId);
  compareOrder(faults, sent.gifts, trades);
  const { noRecord, noCharge, noCredit, twoRecords, twoCharges, twoCredits } = faultKinds;
  const { otherAmount, refused, foreign, failed, disordered } = faultKinds;
  const withOutcome = (all: readonly { outcome: string }[], outcome: string) =>
    all.filter((one) => one.outcome === outcome).length;
  return {
    gifts: {
      accepted: withOutcome(sent.gifts, "accepted"),
      unknown: withOutcome(sent.gifts, "unknown"),
      refused: withOutcome(sent.gifts, "refused"),
    },
    payments: { accepted: withOutcome(sent.payments, "accepted"), unknown: withOutcome(sent.payments, "unknown") },
    lost: faults.count(noRecord, noCharge, noCredit),
    doubled: faults.count(twoRecords, twoCharges, twoCredits, otherAmount, refused, foreign),
    disordered: faults.count(disordered),
    failed: faults.count(failed),
    failedOrders: records.filter(({ succeeded }) => !succeeded).map(({ orderId }) => orderId),
    faults: faults.sentences(),
  };
}

function compareGift(faults: Faults, gift: SentGift, records: RecordRow[] = [], trades: TradeRow[] = []): void {
  const { orderId, outcome, senderId, coins, isPoor } = gift;
  if (records.length > 1) faults.add(faultKinds.twoRecords, orderId);
  if (trades.length > 1) faults.add(faultKinds.twoCharges, orderId);
  const [record] = records;
  const [trade] = trades;
  if (outcome === "accepted" && !record) faults.add(faultKinds.noRecord, orderId);
  // A gift that fails for its coins has a row too.
  if ((outcome === "accepted" || record) && !trade) faults.add(faultKinds.noCharge, orderId);
  if (outcome === "refused" && (record || trade)) faults.add(faultKinds.refused, orderId);
  if (
    trade &&
    (trade.userId !== senderId || trade.coins !== -coins || (record && record.succeeded !== trade.succeeded))
  )
    faults.add(faultKinds.otherAmount, orderId);
  if (record && !record.succeeded && !isPoor) faults.add(faultKinds.failed, orderId);
}

function comparePayments(faults: Faults, { payments }: Sent, tradesOf: ReadonlyMap<string, readonly TradeRow[]>): void {
  for (const { orderId, outcome, coins, userId } of payments) {
    const credits = (tradesOf.get(orderId) ?? []).filter(({ type }) => type === 1);
    if (outcome === "accepted" && credits.length === 0) faults.add(faultKinds.noCredit, orderId);
    if (credits.length > 1) faults.add(faultKinds.twoCredits, orderId);
    const [credit] = credits;
    if (credit && (credit.coins !== coins || credit.userId !== userId || !credit.succeeded))
      faults.add(faultKinds.otherAmount, orderId);
  }
}

/** The ids of the ledger grow in the order of the charges, on every server. */
function compareOrder(faults: Faults, gifts: readonly SentGift[], trades: readonly TradeRow[]): void {
  const sentAs = new Map(gifts.map((gift) => [gift.orderId, gift]));
  const latest = new Map<string, number>();
  for (const { bizId, userId } of trades) {
    const gift = sentAs.get(bizId);
    if (!gift) continue;
    const before = latest.get(userId) ?? -1;
    if (gift.number < before) faults.add(faultKinds.disordered, bizId);
    latest.set(userId, Math.max(before, gift.number));
  }
}
