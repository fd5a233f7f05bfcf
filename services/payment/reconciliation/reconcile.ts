import { fail } from "../../../broker/failure.ts";
import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { billDay, isOver } from "../bill-day.ts";
import type { BillLine, DayComparison, Difference } from "../payment.contract.ts";
import type { PaymentContext } from "../payment-context.ts";
import type { OpenProviders, ProviderDeclaration } from "../providers/provider.ts";
import { providerNamed } from "../providers.contract.ts";
import { handedInBill, keepBillLines } from "./bill-line-store.ts";
import { type BillRefund, keepBillRefunds, refundsOfOtherDays } from "./bill-refund-store.ts";
import {
  type BookedCoins,
  type ComparedOrder,
  compareDay,
  creditsWithoutPayment,
  distinct,
  takenWithoutRefund,
} from "./compare.ts";
import { comparedOrders, orderIdsOf, type Span } from "./compared-orders-store.ts";
import { keepComparison } from "./comparison-store.ts";

/** The wallet's books, read in portions; at most `portionOrders` orders at a time. */
export interface WalletBooks {
  /** The credits of these orders. */
  creditsOf(orderIds: readonly string[]): Promise<BookedCoins[]>;
  /** The coins of these orders that were taken back or are owed. */
  refundsOf(orderIds: readonly string[]): Promise<BookedCoins[]>;
  /** Every credit of a span of time. */
  creditsBetween(from: Date, to: Date): AsyncIterable<BookedCoins[]>;
  /** Every refund of a span of time. */
  refundsBetween(from: Date, to: Date): AsyncIterable<BookedCoins[]>;
}

/** The name of the comparison with the wallet's books, beside those of the channels. */
export const walletChannel = "wallet";

const portionOrders = 500;

function* portions<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += portionOrders) yield all.slice(at, at + portionOrders);
}

/** What a comparison reads from. `now`: the present time, milliseconds since 1970. */
export interface Comparing {
  readonly context: Pick<PaymentContext, "mysql" | "logger">;
  readonly books: WalletBooks;
  readonly now: number;
}

/** The result of a comparison, with every difference and the refunds of the bill. */
export interface Compared extends Omit<DayComparison, "found"> {
  readonly billRefunds: readonly BillRefund[];
}

/** A day to compare, and the channels whose bills were stored by `takeBill`. */
interface DayToCompare {
  readonly date: string;
  readonly handedIn?: readonly { channel: string; lines: number }[];
}

/** Stores lines of a bill that somebody downloaded. Fails: invalidParam (no such provider). */
export async function takeBill(
  { mysql }: Pick<PaymentContext, "mysql">,
  bill: Parameters<typeof keepBillLines>[1],
): Promise<void> {
  if (!providerNamed(bill.channel)) throw fail("invalidParam", { channel: bill.channel });
  await keepBillLines(mysql, bill);
}

/** The bills of the day: of every open channel, and the stored ones. Fails: invalidParam, unavailable. */
async function* billsOf(
  { mysql }: Pick<PaymentContext, "mysql">,
  providers: OpenProviders,
  { date, handedIn = [] }: DayToCompare,
): AsyncGenerator<[ProviderDeclaration, BillLine[] | null]> {
  for (const { channel, lines } of handedIn) {
    const declared = providerNamed(channel);
    if (!declared) throw fail("invalidParam", { channel });
    const bill = await handedInBill(mysql, date, channel);
    if (bill.length !== lines) throw fail("invalidParam", { date, channel, lines, handedIn: bill.length });
    yield [declared, bill];
  }
  for (const [channel, { declared, provider }] of providers)
    if (!handedIn.some((bill) => bill.channel === channel)) yield [declared, await provider.bill(date)];
}

/**
 * Compares a day's orders and refunds with the bill of every open channel and with the wallet's books. The differences
 * are stored when this returns. Fails: invalidParam, where the day is not over or a stored bill is incomplete;
 * unavailable, where a bill or the wallet cannot be read. Then nothing is stored.
 */
export async function reconcileDay(
  comparing: Comparing,
  providers: OpenProviders,
  day: DayToCompare,
): Promise<DayComparison[]> {
  const { date } = day;
  if (!isOver(date, comparing.now)) throw fail("invalidParam", { date });
  const results: Compared[] = [];
  for await (const [declared, bill] of billsOf(comparing.context, providers, day))
    results.push(await compareBill(comparing, date, declared, bill));
  results.push(await compareWallet(comparing, date));
  await keepResults(comparing, date, results);
  // On a day on which everything differs, the list is too long for a message.
  const bytes = limits.bus.listBytes / results.length;
  return results.map(({ channel, compared, differences }) => {
    return { channel, compared, found: differences.length, differences: fittingPage(differences, bytes) };
  });
}

/** Stores comparisons of a day, all or none. Open differences are logged: they need a person. */
export async function keepResults(
  { context, now }: Comparing,
  date: string,
  results: readonly Compared[],
): Promise<void> {
  const ordered = [...results].sort((a, b) => (a.channel < b.channel ? -1 : 1));
  const opened = await context.mysql.transaction(async (tx) => {
    const counts: number[] = [];
    for (const { channel, compared, differences, billRefunds } of ordered) {
      counts.push(await keepComparison(tx, { date, channel, compared, at: new Date(now) }, differences));
      if (channel !== walletChannel) await keepBillRefunds(tx, { date, channel }, billRefunds);
    }
    return counts;
  });
  for (const [at, { channel, compared, differences }] of ordered.entries()) {
    const about = { date, channel, compared, found: differences.length, open: opened[at] };
    if (opened[at] === 0) context.logger.info(about, "a day was compared");
    else
      context.logger.error(
        { ...about, kinds: countsOf(differences) },
        "the books of a day differ: see reconciliation/differences",
      );
  }
}

function countsOf(differences: readonly Difference[]): Record<string, number> {
  const groups = Map.groupBy(differences, ({ kind }) => kind);
  return Object.fromEntries([...groups].map(([kind, some]) => [kind, some.length]));
}

/** Reads something about many orders in portions, by order id. */
async function byOrder<T extends { orderId: string }>(
  orderIds: readonly string[],
  read: (some: string[]) => Promise<readonly T[]>,
): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for (const some of portions(orderIds)) for (const one of await read(some)) found.set(one.orderId, one);
  return found;
}

/**
 * Compares a day with the bill of a channel; `null`: the provider has none of this day. Fails: unavailable, where the
 * bill may not be made yet, or the wallet cannot be read.
 */
export async function compareBill(
  { context: { mysql }, books, now }: Comparing,
  date: string,
  { name: channel, payChannel }: ProviderDeclaration,
  found: readonly BillLine[] | null,
): Promise<Compared> {
  const day = billDay(date);
  // Also of a day without orders here: the bill may have the one payment whose webhook was lost.
  if (found === null && now < day.to.getTime() + limits.payment.billMissingMs)
    throw fail("unavailable", { channel, date, why: "the provider has no bill of this day yet" });
  const ofTheDay = await orderIdsOf(mysql, payChannel, day);
  const bill = found ?? [];
  const ids = [...new Set([...ofTheDay, ...bill.map(({ orderId }) => orderId)])];
  const orders = await byOrder(ids, (some) => comparedOrders(mysql, some, day));
  const known = [...orders.keys()];
  const credits = await byOrder(known, (some) => books.creditsOf(some));
  const refunded = known.filter((orderId) => orders.get(orderId)?.state === "refunded");
  const taken = await byOrder(refunded, (some) => books.refundsOf(some));
  const billRefunds = bill.filter(({ kind }) => kind === "refunded");
  const withRefund = new Set([...refunded, ...billRefunds.map(({ orderId }) => orderId)]);
  const others: BillRefund[] = [];
  for (const some of portions([...withRefund]))
    others.push(...(await refundsOfOtherDays(mysql, { date, channel }, some)));
  const differences = compareDay({ bill, orders, refundsOfOtherDays: others, credits, taken });
  return { channel, compared: bill.length, differences, billRefunds };
}

/**
 * The opposite direction: every credit of the day needs a paid order, and every refund a refunded one, of any channel.
 * Fails: unavailable.
 */
export async function compareWallet({ context: { mysql }, books }: Comparing, date: string): Promise<Compared> {
  const day = billDay(date);
  const differences: Difference[] = [];
  let compared = 0;
  const read = async (
    pages: AsyncIterable<BookedCoins[]>,
    compare: (booked: readonly BookedCoins[], orders: ReadonlyMap<string, ComparedOrder>) => Difference[],
  ) => {
    for await (const page of pages)
      for (const some of portions(page)) {
        compared += some.length;
        differences.push(
          ...compare(
            some,
            await ordersOf(
              some.map(({ orderId }) => orderId),
              day,
            ),
          ),
        );
      }
  };
  const ordersOf = (ids: readonly string[], span: Span) => byOrder(ids, (some) => comparedOrders(mysql, some, span));
  await read(books.creditsBetween(day.from, day.to), creditsWithoutPayment);
  await read(books.refundsBetween(day.from, day.to), takenWithoutRefund);
  return { channel: walletChannel, compared, differences: distinct(differences), billRefunds: [] };
}
