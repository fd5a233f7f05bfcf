import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { purgeAttempts } from "./attempt-store.ts";
import { purgeSessions } from "./session-store.ts";

/** Deletes expired sessions, and failed logins and addresses that count no longer, on one node at a time. */
export const staffPurge = (service: Service & MysqlState): LeasedLoop =>
  new LeasedLoop(service, {
    lease: "staff-purge",
    leaseMs: limits.staff.purgeLeaseMs,
    name: "purge of sessions",
    everyMs: limits.staff.purgeEveryMs,
    round: async () => {
      const more = [await purgeSessions(service.mysql), await purgeAttempts(service.mysql)];
      return more.includes(true);
    },
  });
