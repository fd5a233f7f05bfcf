import type { z } from "zod";
import type { Log } from "../../../broker/log.ts";
import type { SettingsBlock } from "../../../config/settings-block.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { Order } from "../order.ts";
import type { BillLine, OpenChannel, RawWebhook, WebhookAnswer } from "../payment.contract.ts";
import type { Outcome, ProviderReport } from "./report.ts";

/**
 * The declaration of a provider, in its folder. Settings, routes of the gateway, OpenAPI, migrations, bills and the
 * channels on the page follow from it. It does not import the implementation: `load` imports it where it is needed, so
 * the gateway's process never has a provider's code or keys.
 */
export interface ProviderDeclaration {
  /** The name of its channel, in tables, logs and calls: `[a-z]{1,16}`, never changed. */
  readonly name: string;
  /** The number of its channel, in orders and for clients, never changed. */
  readonly payChannel: number;
  /** Payers see the open channels by rank, lowest first. */
  readonly rank: number;
  /** Its name for payers, on the page. */
  readonly title: OpenChannel["title"];
  /** The way to pay, i.e. what `payUrl` is. */
  readonly kind: OpenChannel["kind"];
  /** Its channel is open if these are set. */
  readonly settings: SettingsBlock;
  /** The webhook for payments and refunds: `POST /live/bank/payNotify/<path>`. */
  readonly webhook: { readonly path: string; readonly summary: string };
  /** The format of its bill file of a day, for people. */
  readonly billFile: string;
  /** Its own page, shown by `GET path` and submitted by `POST path` with these fields. */
  readonly page?: { readonly path: string; readonly fields: z.ZodObject };
  /** The folder with the migrations of its own tables, in payment's database. */
  readonly migrations?: string;
  load(): Promise<ProviderImplementation>;
}

/** The dependencies of an open provider. */
export interface ProviderSurroundings {
  /** Its declared settings, validated. */
  readonly settings: Readonly<Record<string, string | undefined>>;
  /** The full address of its webhook. */
  readonly webhookUrl: string;
  /** The address at which people reach the gateway, without a slash at its end. */
  readonly pageBase: string;
  /** Payment's database, for tables of its own. */
  readonly mysql: Database;
  readonly logger: Log;
}

interface ProviderImplementation {
  /** Opens the channel, and starts its background work, which runs until `stop`. */
  open(surroundings: ProviderSurroundings): PaymentProvider;
  /** The lines of a bill file. @throws RangeError where it is not a complete bill of this provider. */
  readBill(file: Buffer): BillLine[];
}

/** The state of an order at the provider, from a verified answer. */
export type ProviderOrder =
  | { readonly status: "paid"; readonly transactionId: string; readonly amount: number; readonly time: Date }
  /** It was paid at `time`, and refunded since: `refundAmount` of it, where the provider reports how much. */
  | {
      readonly status: "refunded";
      readonly transactionId: string;
      readonly amount: number;
      readonly refundAmount?: number;
      readonly time: Date;
    }
  /** Can still be paid. */
  | { readonly status: "open" }
  | { readonly status: "closed" }
  /** The provider does not know the order: the payer has not started to pay. */
  | { readonly status: "unknown" };

interface RefundRequest {
  readonly orderId: string;
  readonly transactionId: string;
  /** The amount that was paid, and is refunded as a whole, fen. */
  readonly amount: number;
  readonly reason: string;
}

/** An open payment channel. An implementation knows the provider's formats, keys and merchant, and no order states. */
export interface PaymentProvider {
  /** Asks for a way to pay the order until `expires`. Idempotent by order id. Fails: unavailable. */
  createPayment(order: Order, productName: string, expires: Date): Promise<{ payUrl: string }>;
  /**
   * Verifies signature, freshness, merchant and currency, in this order, before it reads the rest. Payments and refunds
   * have the same address. @throws WebhookRefused
   */
  readWebhook(raw: RawWebhook, now: Date): ProviderReport;
  /** The answer to the provider. `httpStatus` is that of a refusal. */
  answer(outcome: Outcome, httpStatus: number): WebhookAnswer;
  /** The state of the order at the provider. Fails: unavailable, where no verified answer came. */
  queryOrder(orderId: string): Promise<ProviderOrder>;
  /**
   * Asks the provider to accept no payment of the order any more. `queryOrder` shows the result: it may have been paid
   * meanwhile. Fails: unavailable.
   */
  closeOrder(orderId: string): Promise<void>;
  /** Refunds the whole payment, once: a repeat is the same refund and returns its present state. Fails: unavailable. */
  refund(request: RefundRequest): Promise<"done" | "processing" | "failed">;
  /**
   * The payments and refunds of a day (YYYY-MM-DD, Beijing time); `null` where the provider has no bill of it, since it
   * is not made yet or the day had none. Fails: unavailable.
   */
  bill(date: string): Promise<BillLine[] | null>;
  /** The declared page, as HTML. `press`: its form was posted. Fails: notFound, invalidParam. */
  page?(fields: Readonly<Record<string, string>>, press: boolean): Promise<string>;
  /** Ends its background work. */
  stop?(): Promise<void>;
}

/** A channel that is open on this node. */
export interface OpenProvider {
  readonly declared: ProviderDeclaration;
  readonly provider: PaymentProvider;
}

/** The open channels by name, in the order in which payers see them. */
export type OpenProviders = ReadonlyMap<string, OpenProvider>;
