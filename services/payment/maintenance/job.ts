import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";

/** Items that become due in the database, handled on one node at a time. */
export interface Job<Item> {
  /** The name of its lease, also in the log. */
  readonly name: string;
  readonly everyMs: number;
  /** How long its lease lasts; `maintenanceLeaseMs` where left out. */
  readonly leaseMs?: number;
  /** The most items of one round. */
  readonly atOnce: number;
  /** How many items are handled under one renewal of the lease; this must take less time than the lease lasts. */
  readonly portion: number;
  /** The items that are due now, at most `limit`, longest due first. Changes nothing. */
  due(limit: number): Promise<readonly Item[]>;
  /**
   * Handles items, each idempotently. Returns whether to continue at once: false where these items stay due, or the
   * next ones would fail in the same way.
   */
  handle(items: readonly Item[]): Promise<boolean>;
}

interface JobContext {
  readonly mysql: Database;
  readonly logger: Log;
  /** The id of this node: of one running process, never used again. */
  readonly holder: string;
}

/**
 * Runs a job in rounds until it is stopped, on the node that holds the job's lease. When the lease is not renewed,
 * another node takes it. If two nodes work for a short time, each item still takes effect once. A round without due
 * items writes nothing.
 */
export class MaintenanceJob<Item> {
  private readonly job: Job<Item>;
  private readonly context: JobContext;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private stopping = false;

  constructor(job: Job<Item>, context: JobContext) {
    this.job = job;
    this.context = context;
    const { name, everyMs, leaseMs: ms = limits.payment.maintenanceLeaseMs } = job;
    const { mysql, logger, holder } = context;
    this.lease = new DatabaseLease({ mysql, name, holder, ms });
    this.loop = new BackgroundLoop({
      name,
      round: () => this.round(),
      idleMs: everyMs,
      errorBackoffMs: everyMs,
      log: logger,
    });
  }

  wake(): void {
    this.loop.wake();
  }

  /** Resolves once the running items are handled and another node can take the lease. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.context.logger.warn(
        { err: error, lease: this.job.name },
        "a lease could not be freed: it expires by itself",
      );
    });
  }

  private async round(): Promise<boolean> {
    const { atOnce, portion } = this.job;
    const due = await this.job.due(atOnce);
    for (let at = 0; at < due.length; at += portion) {
      if (this.stopping || !(await this.lease.hold())) return false;
      if (!(await this.job.handle(due.slice(at, at + portion)))) return false;
    }
    return due.length === atOnce;
  }
}
