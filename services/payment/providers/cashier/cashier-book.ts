import { randomUUID } from "node:crypto";
import { fail } from "../../../../broker/failure.ts";
import type { Log } from "../../../../broker/log.ts";
import { limits } from "../../../../config/limits.ts";
import { BackgroundLoop } from "../../../../mixins/background-loop.ts";
import type { Database } from "../../../../mixins/mysql/database.ts";
import { billDay } from "../../bill-day.ts";
import type { BillLine } from "../../payment.contract.ts";
import type { ProviderOrder } from "../provider.ts";
import { readBillFile, writeBill } from "./cashier-bill.ts";
import { cashierPage } from "./cashier-page.ts";
import {
  callAgain,
  callAnswered,
  claimCalls,
  closeCollection,
  collectionByOrder,
  giveBack,
  insertCollection,
  movementsBetween,
  pressedPayment,
  pressOnce,
} from "./cashier-store.ts";
import { signedHeaders, webhookBody } from "./cashier-webhook.ts";
import { type Collection, type CollectionCall, callsWanted, retryDelay } from "./collection.ts";

interface CashierSetup {
  readonly mysql: Database;
  readonly secret: string;
  /** The base of its page's address, e.g. `http://127.0.0.1:8088`. */
  readonly pageBase: string;
  /** The full address of the merchant's webhook. */
  readonly webhookUrl: string;
  /** The folder of its bills for this merchant. */
  readonly billFolder: string;
  readonly logger: Log;
}

/**
 * The sandbox cashier: a payment provider for machines without a real one. It keeps its own book, and reports a pressed
 * button to the merchant by a signed webhook, as a real provider does. So the code behind the webhook is the same.
 */
export class Cashier {
  private readonly setup: CashierSetup;
  private readonly calls: BackgroundLoop;
  private readonly stopping = new AbortController();

  /** Starts making the webhook calls that are due. */
  constructor(setup: CashierSetup) {
    this.setup = setup;
    this.calls = new BackgroundLoop({
      name: "cashier-webhooks",
      round: () => this.callRound(),
      idleMs: limits.payment.cashierIdlePollMs,
      errorBackoffMs: limits.payment.cashierIdlePollMs * 4,
      log: setup.logger,
    });
  }

  /** Aborts calls in flight: they are made again, by this node or another. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.calls.stop();
  }

  async collect(orderId: string, name: string, amount: number): Promise<{ payUrl: string }> {
    await insertCollection(this.setup.mysql, { orderId, name, amount });
    return { payUrl: `${this.setup.pageBase}/sandbox/cashier?orderId=${encodeURIComponent(orderId)}` };
  }

  /** The state of an order in the cashier's book. */
  async query(orderId: string): Promise<ProviderOrder> {
    const payment = await pressedPayment(this.setup.mysql, orderId);
    if (!payment) return { status: "unknown" };
    if (payment.action === null) return { status: "open" };
    if (payment.action === "cancel") return { status: "closed" };
    const { transactionId, amount, pressTime: time } = payment;
    if (payment.givenBack) return { status: "refunded", transactionId, amount, refundAmount: amount, time };
    return { status: "paid", transactionId, amount, time };
  }

  /** Sandbox money: a refund is a row of the book. */
  async refund(orderId: string): Promise<void> {
    await giveBack(this.setup.mysql, orderId);
  }

  /**
   * A day's bill from the cashier's own book, read from the file that it writes into its folder. Fails: unavailable,
   * where the file cannot be written or is not complete.
   */
  async bill(date: string): Promise<BillLine[]> {
    const { from, to } = billDay(date);
    const lines = await movementsBetween(this.setup.mysql, from, to);
    try {
      return await readBillFile(await writeBill(this.setup.billFolder, date, lines));
    } catch (error) {
      throw fail("unavailable", { channel: "cashier", why: (error as Error).message });
    }
  }

  /** If no button was pressed, none counts any more; no webhook is sent. */
  async close(orderId: string): Promise<void> {
    await closeCollection(this.setup.mysql, orderId);
  }

  /** Fails: notFound. */
  async page(orderId: string): Promise<string> {
    return cashierPage(await this.collection(orderId));
  }

  /** Only the first press of an order counts; durable when it returns. Fails: notFound, invalidParam. */
  async press(orderId: string, action: string): Promise<string> {
    const { mysql } = this.setup;
    await this.collection(orderId);
    if (action !== "pay" && action !== "cancel") throw fail("invalidParam", { action });
    const ids = { noticeId: randomUUID(), transactionId: `sandbox-${randomUUID()}` };
    await pressOnce(mysql, orderId, { action, ...ids, calls: callsWanted(orderId) });
    this.calls.wake();
    return cashierPage(await this.collection(orderId));
  }

  private async collection(orderId: string): Promise<Collection> {
    const collection = await collectionByOrder(this.setup.mysql, orderId);
    if (!collection) throw fail("notFound", { orderId });
    return collection;
  }

  private async callRound(): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    // A lease lasts longer than its call: the call is bounded, and so is storing its result.
    const leaseMs = limits.payment.cashierTimeoutMs * 2 + limits.mysql.statementTimeoutMs;
    const calls = await claimCalls(this.setup.mysql, limits.payment.cashierCallsInFlight, leaseMs);
    await Promise.all(calls.map((call) => this.callMerchant(call)));
    return calls.length > 0;
  }

  private async callMerchant(call: CollectionCall): Promise<void> {
    const problem = await this.deliver(call);
    if (problem === null) return callAnswered(this.setup.mysql, call);
    const delayMs = this.stopping.signal.aborted ? 0 : retryDelay(call);
    await callAgain(this.setup.mysql, call, delayMs);
    const about = { orderId: call.orderId, noticeId: call.noticeId, attempt: call.attempt, delayMs, problem };
    this.setup.logger.warn(
      about,
      delayMs === null ? "the cashier stops sending a webhook" : "a webhook is sent again later",
    );
  }

  /** Makes one call; returns `null` after a successful answer, else the problem. */
  private async deliver(call: CollectionCall): Promise<string | null> {
    const body = webhookBody(call);
    const timeout = AbortSignal.timeout(limits.payment.cashierTimeoutMs);
    try {
      const response = await fetch(this.setup.webhookUrl, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...signedHeaders(this.setup.secret, body) },
        redirect: "error",
        signal: AbortSignal.any([timeout, this.stopping.signal]),
      });
      const answer = await response.text();
      if (response.status === 200 && /"result"\s*:\s*"SUCCESS"/.test(answer)) return null;
      return `answered ${response.status}: ${answer.slice(0, limits.payment.reasonChars)}`;
    } catch (error) {
      const { message, cause } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }
}
