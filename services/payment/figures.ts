import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { everyMinute, firstMinute, minuteOf } from "../last-minutes.ts";
import { type PaidSums, paidSince } from "./figures-store.ts";
import type { PaymentFigures } from "./operators.contract.ts";
import { countParkedOrders } from "./parked-store.ts";
import { openDifferences } from "./reconciliation/comparison-store.ts";

const { paidReadAgainMs, paidOpenMs } = limits.payment;

/**
 * The paid orders of the last minutes, by their time at the provider. Webhooks come late, so all minutes are read again
 * once a minute, and in between the latest ones alone.
 */
class PaidMinutes {
  private kept = new Map<string, PaidSums>();
  private readAt = Number.NEGATIVE_INFINITY;

  async read(db: Queryable, nowMs: number): Promise<ReadonlyMap<string, PaidSums>> {
    const all = nowMs - this.readAt >= paidReadAgainMs;
    const first = all ? firstMinute(nowMs) : new Date(minuteOf(nowMs - paidOpenMs));
    const rows = await paidSince(db, first);
    const before = [...this.kept].filter(([minute]) => minute < first.toISOString());
    this.kept = new Map([...(all ? [] : before), ...rows]);
    if (all) this.readAt = nowMs;
    return this.kept;
  }
}

const ofDatabase = new WeakMap<Queryable, PaidMinutes>();

/** See `payment.figures`. */
export async function paymentFigures(db: Queryable, nowMs = Date.now()): Promise<PaymentFigures> {
  const minutes = ofDatabase.get(db) ?? new PaidMinutes();
  ofDatabase.set(db, minutes);
  const [parked, differences, rows] = await Promise.all([
    countParkedOrders(db),
    openDifferences(db),
    minutes.read(db, nowMs),
  ]);
  return {
    parked,
    differences: differences.reduce((sum, { open }) => sum + open, 0),
    perMinute: everyMinute(nowMs, rows, { paidOrders: 0, chargedCoins: 0 }),
  };
}
