import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { PaymentDesk } from "../desk.ts";
import type { Providers } from "../providers/provider.ts";
import { dueWatches, giveLeaseBack, holdLease, removeWatches } from "./janitor-store.ts";
import { lookAfter } from "./open-orders.ts";

const lease = "janitor";

/**
 * Sees to what no notice will: asks providers about orders that stay open. One node at a time does it, by a lease that
 * another takes over once it is not renewed; should two do it for a moment, each order still moves once.
 */
export class Janitor {
  private readonly desk: PaymentDesk;
  private readonly providers: Providers;
  /** Whose lease it is; of one running process, never used again. */
  private readonly holder: string;
  private readonly loop: BackgroundLoop;
  private stopping = false;

  constructor(desk: PaymentDesk, providers: Providers, holder: string) {
    this.desk = desk;
    this.providers = providers;
    this.holder = holder;
    this.loop = new BackgroundLoop({
      name: "janitor",
      round: () => this.round(),
      idleMs: limits.payment.janitorPollMs,
      errorBackoffMs: limits.payment.janitorPollMs,
      log: desk.logger,
    });
  }

  wake(): void {
    this.loop.wake();
  }

  /** Resolves once what is in work is done and the lease is another's to take. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await giveLeaseBack(this.desk.mysql, lease, this.holder).catch((error: Error) => {
      this.desk.logger.warn({ err: error, lease }, "a lease was not given back: it runs out by itself");
    });
  }

  /** Renewed before each portion, none of which takes as long as the lease lasts. */
  private async mayWork(): Promise<boolean> {
    return !this.stopping && holdLease(this.desk.mysql, lease, this.holder, limits.payment.janitorLeaseMs);
  }

  private async round(): Promise<boolean> {
    const { mysql } = this.desk;
    if (!(await this.mayWork())) return false;
    const due = await dueWatches(mysql, limits.payment.janitorOrders);
    const isOpen = (state: string) => state === "waiting" || state === "paying";
    await removeWatches(
      mysql,
      due.filter(({ state }) => !isOpen(state)).map(({ orderId }) => orderId),
    );
    const open = due.filter(({ state }) => isOpen(state));
    const portion = limits.payment.janitorCallsInFlight;
    for (let at = 0; at < open.length; at += portion) {
      if (!(await this.mayWork())) return false;
      await Promise.all(open.slice(at, at + portion).map((watch) => lookAfter(this.desk, this.providers, watch)));
    }
    return due.length === limits.payment.janitorOrders;
  }
}
