import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { everyMinute, firstMinute } from "../last-minutes.ts";
import { addUpMinutes, minutesSince } from "./minutes-store.ts";
import type { GiftMinute } from "./work.contract.ts";

/**
 * Adds up the gifts of each minute from the records, on one node at a time. Settling writes nothing for it: a row that
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
export async function giftMinutes({ mysql }: MysqlState, nowMs = Date.now()): Promise<GiftMinute[]> {
  return everyMinute(nowMs, await minutesSince(mysql, firstMinute(nowMs)), { gifts: 0, coins: 0 });
}
