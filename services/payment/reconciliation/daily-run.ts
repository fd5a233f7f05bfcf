import { failureName, isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { billDay, daysToCompare, latestRun } from "../bill-day.ts";
import type { Job } from "../maintenance/job.ts";
import type { PaymentContext } from "../payment-context.ts";
import type { OpenProviders } from "../providers/provider.ts";
import { firstOrderTime } from "./compared-orders-store.ts";
import { comparisonsSince, type DayOfChannel, postponeComparison, type StoredComparison } from "./comparison-store.ts";
import { compareBill, compareWallet, keepResults, type WalletBooks, walletChannel } from "./reconcile.ts";

/** What the daily run needs. */
export interface DailyRun {
  readonly context: PaymentContext;
  readonly providers: OpenProviders;
  readonly books: WalletBooks;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** When it runs, milliseconds after Beijing's midnight; `null`: never. */
  readonly atMs: number | null;
}

/** A day that is to be compared with the bill of a channel, or with the wallet. */
export interface DueComparison extends DayOfChannel {
  /** Since when it is due, milliseconds since 1970. */
  readonly since: number;
  /** It was compared before, and differences of it are open. */
  readonly again: boolean;
  /** The latest attempt failed: it is not tried again before this time. */
  readonly nextTime: Date | null;
}

/**
 * The comparisons that the latest run at `run` has to make: first of days that were not compared yet, then of those
 * with open differences that were compared before it, since the bill of a later day may have what was missing. Of each
 * the oldest day first. Pure.
 */
export function dueComparisons(
  { run, atMs, first }: { run: number; atMs: number; first: number },
  channels: readonly string[],
  stored: readonly StoredComparison[],
): DueComparison[] {
  const keyOf = ({ date, channel }: DayOfChannel) => `${date} ${channel}`;
  const known = new Map(stored.map((comparison) => [keyOf(comparison), comparison]));
  const due = daysToCompare(run, first, limits.payment.reconcileDays).flatMap((date) =>
    channels.flatMap((channel): DueComparison[] => {
      const { comparedTime = null, hasOpen = false, nextTime = null } = known.get(keyOf({ date, channel })) ?? {};
      if (comparedTime === null)
        return [{ date, channel, since: billDay(date).to.getTime() + atMs, again: false, nextTime }];
      if (!hasOpen || comparedTime.getTime() >= run) return [];
      return [{ date, channel, since: run, again: true, nextTime }];
    }),
  );
  return due.toSorted((a, b) => Number(a.again) - Number(b.again));
}

/** The channels that are compared: the open ones, and the wallet. */
export function comparedChannels(providers: OpenProviders): string[] {
  return [...providers.keys(), walletChannel];
}

/** The comparisons that are due at this time, tried again or not. */
export async function dueNow({ context, providers, clock, atMs }: Omit<DailyRun, "books">) {
  const first = await firstOrderTime(context.mysql);
  if (first === null || atMs === null) return [];
  const run = latestRun(clock(), atMs);
  const [oldest] = daysToCompare(run, first.getTime(), limits.payment.reconcileDays);
  if (oldest === undefined) return [];
  const stored = await comparisonsSince(context.mysql, oldest);
  return dueComparisons({ run, atMs, first: first.getTime() }, comparedChannels(providers), stored);
}

/**
 * Compares by itself, every day from its hour on, each day and channel that is due (decision 0057). A comparison that
 * fails, e.g. since the bill is not there, is tried again after `reconcileRetryMs`; the others go on. A day that two
 * nodes compare at once, or an operator meanwhile, is stored one after the other with the same outcome.
 */
export function dailyRunJob(daily: DailyRun): Job<DueComparison> {
  return {
    name: "reconciliation",
    everyMs: limits.payment.reconcilePollMs,
    leaseMs: limits.payment.reconcileLeaseMs,
    atOnce: 100,
    portion: 1,
    async due(limit) {
      const due = await dueNow(daily);
      return due.filter(({ nextTime }) => nextTime === null || nextTime.getTime() <= daily.clock()).slice(0, limit);
    },
    async handle(due) {
      for (const one of due) await attempt(daily, one);
      return true;
    },
  };
}

async function attempt({ context, providers, books, clock }: DailyRun, { date, channel }: DueComparison) {
  const now = clock();
  const comparing = { context, books, now };
  try {
    const open = providers.get(channel);
    const result = open
      ? await compareBill(comparing, date, open.declared, await open.provider.bill(date))
      : await compareWallet(comparing, date);
    await keepResults(comparing, date, [result]);
  } catch (error) {
    const next = new Date(now + limits.payment.reconcileRetryMs);
    const { data } = error as { data?: { why?: unknown } };
    const problem = typeof data?.why === "string" ? data.why : (failureName(error) ?? String((error as Error).message));
    const about = { err: error, date, channel, next };
    if (isUnavailable(error)) context.logger.warn(about, "a day could not be compared: it is tried again");
    else context.logger.error(about, "a day could not be compared, by a fault: it is tried again");
    await postponeComparison(context.mysql, { date, channel }, problem, next);
  }
}
