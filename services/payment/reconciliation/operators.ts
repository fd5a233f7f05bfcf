import { fail } from "../../../broker/failure.ts";
import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { daysToCompare } from "../bill-day.ts";
import type { ComparedDay, OpenDifference } from "../operators.contract.ts";
import type { PaymentContext } from "../payment-context.ts";
import { comparisonsSince, type DayOfChannel, differencesAfter, openSince, resolveStored } from "./comparison-store.ts";

type Context = Pick<PaymentContext, "mysql" | "logger">;

/** The days of the reconciliation, as far back as the daily run goes, newest first. */
export async function comparedDays({ mysql }: Context, now: number): Promise<{ list: ComparedDay[] }> {
  const [oldest = ""] = daysToCompare(now, 0, limits.payment.reconcileDays);
  const keyOf = ({ date, channel }: DayOfChannel) => `${date} ${channel}`;
  const open = new Map((await openSince(mysql, oldest)).map((day) => [keyOf(day), day.open]));
  const list = (await comparisonsSince(mysql, oldest)).map((day) => ({
    date: day.date,
    channel: day.channel,
    comparedTime: day.comparedTime?.toISOString() ?? null,
    compared: day.compared,
    open: open.get(keyOf(day)) ?? 0,
    problem: day.problem,
  }));
  return { list };
}

/** A page of the open differences, oldest first. */
export async function differencesPage(
  { mysql }: Context,
  query: Parameters<typeof differencesAfter>[1],
): Promise<{ list: OpenDifference[]; nextCursor: string | null }> {
  const all = await differencesAfter(mysql, query);
  const list = fittingPage(all, limits.bus.listBytes);
  const more = list.length < all.length || all.length === query.limit;
  const last = list.at(-1);
  return { list, nextCursor: more && last ? String(last.id) : null };
}

/** Resolves a difference by an operator's decision. Fails: differenceUnknown. */
export async function resolveDifference({ mysql, logger }: Context, { id, reason }: { id: number; reason: string }) {
  const resolved = await resolveStored(mysql, id, reason);
  if (!resolved) throw fail("differenceUnknown", { id });
  logger.info({ difference: id, reason: resolved.reason }, "an operator resolved a difference");
  return { id, resolvedTime: resolved.resolveTime.toISOString(), reason: resolved.reason };
}
