import { fail } from "../../../broker/failure.ts";
import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { billDay, isOver } from "../bill-day.ts";
import type { BillLine, DayComparison, Difference } from "../payment.contract.ts";
import type { PaymentContext } from "../payment-context.ts";
import type { OpenProviders, ProviderDeclaration } from "../providers/provider.ts";
import { providerNamed } from "../providers.contract.ts";
import { handedInBill, keepBillLines } from "./bill-line-store.ts";
import { type ComparedOrder, type Credit, compareDay, creditsWithoutPayment } from "./compare.ts";
import { ordersNamed, ordersPaid, replaceDifferences } from "./reconcile-store.ts";

/** The wallet's books, read in portions. */
export interface CreditBooks {
  /** The credits of these orders; at most `portionOrders` at a time. */
  creditsOf(orderIds: readonly string[]): Promise<Credit[]>;
  /** Every credit of a span of time, in portions. */
  creditsBetween(from: Date, to: Date): AsyncIterable<Credit[]>;
}

const portionOrders = 500;

function* portions<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += portionOrders) yield all.slice(at, at + portionOrders);
}

/** The result of a comparison, with every difference. */
type Compared = Omit<DayComparison, "found">;

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
): AsyncGenerator<[ProviderDeclaration, BillLine[]]> {
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
 * Compares a day's orders with the bill of every open channel and with the wallet's credits. The differences are stored
 * when this returns, and replace those of an earlier run. Fails: invalidParam, where the day is not over or a stored
 * bill is incomplete; unavailable, where a bill or the wallet cannot be read.
 */
export async function reconcileDay(
  context: PaymentContext,
  providers: OpenProviders,
  books: CreditBooks,
  compared: DayToCompare,
): Promise<DayComparison[]> {
  const { date } = compared;
  const day = billDay(date);
  if (!isOver(date)) throw fail("invalidParam", { date });
  const results: Compared[] = [];
  for await (const [{ name, payChannel }, bill] of billsOf(context, providers, compared)) {
    const orders = new Map<string, ComparedOrder>();
    const paid = await ordersPaid(context.mysql, payChannel, day.from, day.to);
    for (const order of paid) orders.set(order.orderId, order);
    const others = [...new Set(bill.map(({ orderId }) => orderId))].filter((orderId) => !orders.has(orderId));
    for (const ids of portions(others))
      for (const order of await ordersNamed(context.mysql, ids, day.from, day.to)) orders.set(order.orderId, order);
    const credits = new Map<string, Credit>();
    for (const ids of portions([...orders.keys()]))
      for (const credit of await books.creditsOf(ids)) credits.set(credit.orderId, credit);
    results.push({ channel: name, compared: bill.length, differences: compareDay(bill, orders, credits) });
  }
  results.push(await reconcileCredits(context, books, day));
  await context.mysql.transaction(async (tx) => {
    for (const { channel, differences } of results) await replaceDifferences(tx, date, channel, differences);
  });
  // On a day on which everything differs, the list is too long for a message.
  const bytes = limits.bus.listBytes / results.length;
  return results.map(({ differences, ...rest }) => {
    return { ...rest, found: differences.length, differences: fittingPage(differences, bytes) };
  });
}

/** The opposite direction: every credit of the day needs a paid order, of any channel. */
async function reconcileCredits(
  context: PaymentContext,
  books: CreditBooks,
  { from, to }: { from: Date; to: Date },
): Promise<Compared> {
  const differences: Difference[] = [];
  let compared = 0;
  for await (const credits of books.creditsBetween(from, to)) {
    compared += credits.length;
    for (const some of portions(credits)) {
      const ids = some.map(({ orderId }) => orderId);
      const orders = await ordersNamed(context.mysql, ids, from, to);
      differences.push(...creditsWithoutPayment(some, new Map(orders.map((order) => [order.orderId, order]))));
    }
  }
  return { channel: "wallet", compared, differences };
}
