import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { purgeErasedNames } from "./erasure-store.ts";
import { purgeExpired } from "./session-store.ts";
import { purgeDays } from "./sms-day-store.ts";

/**
 * Deletes the rows of expired sessions and revocations, the counts of past days, and hashes of erased users' ids that no JWT
 * can need, on one node at a time.
 */
export const sessionPurge = (service: Service & MysqlState): LeasedLoop =>
  new LeasedLoop(service, {
    lease: "session-purge",
    leaseMs: limits.user.purgeLeaseMs,
    name: "purge of sessions",
    everyMs: limits.user.purgeEveryMs,
    round: async () => {
      const { smsDaysKept, purgeRows } = limits.user;
      const more = [
        await purgeExpired(service.mysql),
        await purgeDays(service.mysql, smsDaysKept, purgeRows),
        await purgeErasedNames(service.mysql, purgeRows),
      ];
      return more.includes(true);
    },
  });
