import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { purgeKeys } from "./idempotency-store.ts";
import { purgeStaffMoves } from "./money/moved-store.ts";

/**
 * Deletes the rows of idempotency keys that began more than `limits.platform.answersKeptMs` ago, and the moves of staff that
 * count for four eyes no longer, on one node at a time.
 */
export const idempotencyPurge = (service: Service & MysqlState): LeasedLoop =>
  new LeasedLoop(service, {
    lease: "idempotency-purge",
    leaseMs: limits.platform.purgeLeaseMs,
    name: "purge of idempotency keys",
    everyMs: limits.platform.purgeEveryMs,
    async round() {
      const moreMoves = await purgeStaffMoves(service.mysql);
      return (await purgeKeys(service.mysql)) || moreMoves;
    },
  });
