import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { purgeExpired } from "./session-store.ts";
import { purgeDays } from "./sms-day-store.ts";

const lease = "session-purge";

/** Deletes the rows of expired sessions and revocations, and the counts of past days, on one node at a time. */
export class SessionPurge {
  private readonly service: Service & MysqlState;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(service: Service & MysqlState) {
    this.service = service;
    const { mysql, broker, logger } = service;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: limits.user.purgeLeaseMs });
    this.loop = new BackgroundLoop({
      name: "purge of sessions",
      idleMs: limits.user.purgeEveryMs,
      errorBackoffMs: limits.user.purgeEveryMs,
      log: logger,
      round: async () => {
        if (!(await this.lease.hold())) return false;
        const { smsDaysKept, purgeRows } = limits.user;
        const more = [await purgeExpired(mysql), await purgeDays(mysql, smsDaysKept, purgeRows)];
        return more.includes(true);
      },
    });
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.service.logger.warn({ err: error, lease }, "a lease was not freed: it expires by itself");
    });
  }
}
