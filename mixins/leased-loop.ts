import type { Service } from "moleculer";
import { BackgroundLoop } from "./background-loop.ts";
import { DatabaseLease } from "./mysql/database-lease.ts";
import type { MysqlState } from "./mysql.mixin.ts";

export interface LeasedWork {
  /** The name of the lease in the service's database. */
  readonly lease: string;
  /** How long a node that died keeps the others from the work. */
  readonly leaseMs: number;
  /** The name of the loop in the log. */
  readonly name: string;
  /** The pause after a round without further work, and after a failed one. */
  readonly everyMs: number;
  /** One round, on the node that holds the lease; must be repeatable. Returns whether there is more work. */
  readonly round: () => Promise<boolean>;
}

/** Background work of a service that one node at a time does, from now until `stop`. */
export class LeasedLoop {
  private readonly service: Service & MysqlState;
  private readonly work: LeasedWork;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(service: Service & MysqlState, work: LeasedWork) {
    const { lease: name, leaseMs: ms, everyMs } = work;
    this.service = service;
    this.work = work;
    this.lease = new DatabaseLease({ mysql: service.mysql, name, holder: service.broker.nodeID, ms });
    this.loop = new BackgroundLoop({
      name: work.name,
      idleMs: everyMs,
      errorBackoffMs: everyMs,
      log: service.logger,
      round: async () => (await this.lease.hold()) && (await work.round()),
    });
  }

  /** Begins the next round at once, where this node has the lease or it is free. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      const about = { err: error, lease: this.work.lease };
      this.service.logger.warn(about, "a lease was not freed: it expires by itself");
    });
  }
}
