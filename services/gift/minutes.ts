import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { everyMinute, firstMinute } from "../last-minutes.ts";
import type { GiftState } from "./gift-state.ts";
import { addUpMinutes, minutesSince } from "./minutes-store.ts";
import type { GiftMinute } from "./work.contract.ts";

/**
 * Adds up the gifts of each minute from the records of one server, on one node at a time. Settling writes nothing for it: a row that
 * every batch changes would make the batches wait for each other.
 */
export const addingUpMinutes = (service: Service & MysqlState): LeasedLoop =>
  new LeasedLoop(service, {
    lease: "gifts-by-minute",
    leaseMs: limits.gift.minutesLeaseMs,
    name: "gifts by minute",
    everyMs: limits.gift.minutesEveryMs,
    round: () => addUpMinutes(service.mysql),
  });

/** The last minutes, oldest first. */
export async function giftMinutes({ records }: Pick<GiftState, "records">, nowMs = Date.now()): Promise<GiftMinute[]> {
  const parts = await records.each((db) => minutesSince(db, firstMinute(nowMs)));
  const minutes = new Map<string, { gifts: number; coins: number }>();
  for (const [minute, { gifts, coins }] of parts.flatMap((part) => [...part])) {
    const known = minutes.get(minute) ?? { gifts: 0, coins: 0 };
    minutes.set(minute, { gifts: known.gifts + gifts, coins: known.coins + coins });
  }
  return everyMinute(nowMs, minutes, { gifts: 0, coins: 0 });
}
