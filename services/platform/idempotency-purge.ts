import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { purgeKeys } from "./idempotency-store.ts";

const lease = "idempotency-purge";

/** Deletes the rows of idempotency keys that began more than `limits.platform.answersKeptMs` ago, on one node at a time. */
export class IdempotencyPurge {
  private readonly service: Service & MysqlState;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(service: Service & MysqlState) {
    this.service = service;
    const { mysql, broker, logger } = service;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: limits.platform.purgeLeaseMs });
    this.loop = new BackgroundLoop({
      name: "purge of idempotency keys",
      idleMs: limits.platform.purgeEveryMs,
      errorBackoffMs: limits.platform.purgeEveryMs,
      log: logger,
      round: async () => (await this.lease.hold()) && (await purgeKeys(mysql)),
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
