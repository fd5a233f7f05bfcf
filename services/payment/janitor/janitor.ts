import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { PaymentDesk } from "../desk.ts";
import { isOpen } from "../order-state.ts";
import type { Providers } from "../providers/provider.ts";
import { dueRefunds } from "../refunds/refund-store.ts";
import { sendRefund } from "../refunds/send-refund.ts";
import { dueWatches, giveLeaseBack, holdLease, removeWatches, type Watch } from "./janitor-store.ts";
import { lookAfterMessages, type MessagePorts } from "./lost-messages.ts";
import { lookAfter } from "./open-orders.ts";

const lease = "janitor";

/**
 * Sees to what no notice will: asks providers about orders that stay open, and for the money of refunded ones; asks the
 * wallet whether it has what it was told. One node at a time does it, by a lease that another takes over once it is not
 * renewed; should two do it for a moment, each order still moves once.
 */
export class Janitor {
  private readonly desk: PaymentDesk;
  private readonly providers: Providers;
  private readonly messages: MessagePorts;
  /** Whose lease it is; of one running process, never used again. */
  private readonly holder: string;
  private readonly loop: BackgroundLoop;
  private stopping = false;

  constructor(desk: PaymentDesk, providers: Providers, messages: MessagePorts, holder: string) {
    this.desk = desk;
    this.providers = providers;
    this.messages = messages;
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
    if (!(await this.mayWork())) return false;
    const moreMessages = await lookAfterMessages(this.desk, this.messages);
    const refunds = await dueRefunds(this.desk.mysql, limits.payment.janitorOrders);
    const open = await this.openOrders();
    const work = [
      ...refunds.map((due) => () => sendRefund(this.desk, this.providers, due)),
      ...open.map((watch) => () => lookAfter(this.desk, this.providers, watch)),
    ];
    const portion = limits.payment.janitorCallsInFlight;
    for (let at = 0; at < work.length; at += portion) {
      if (!(await this.mayWork())) return false;
      await Promise.all(work.slice(at, at + portion).map((call) => call()));
    }
    return moreMessages || work.length >= limits.payment.janitorOrders;
  }

  /** Those that are due; what is over by now is watched no longer. */
  private async openOrders(): Promise<Watch[]> {
    const due = await dueWatches(this.desk.mysql, limits.payment.janitorOrders);
    const over = due.filter(({ state }) => !isOpen(state));
    await removeWatches(
      this.desk.mysql,
      over.map(({ orderId }) => orderId),
    );
    return due.filter(({ state }) => isOpen(state));
  }
}
