import type { z } from "zod";
import type { Log } from "../../../broker/log.ts";
import type { SettingsBlock } from "../../../config/settings-block.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { Order } from "../order.ts";
import type { BillLine, OpenChannel, RawWebhook, WebhookAnswer } from "../payment.contract.ts";
import type { Outcome, ProviderReport } from "./report.ts";

/**
 * What a provider declares once, in its folder. Settings, routes of the gateway, OpenAPI, migrations, bills and the
 * channels that payers are offered follow from it. It loads nothing: the implementation comes by `load`, where it is
 * needed, so that the gateway never has a provider's code or keys in its process.
 */
export interface ProviderDeclaration {
  /** Of its channel, in tables, logs and calls: `[a-z]{1,16}`, never changed. */
  readonly name: string;
  /** The number that orders and clients know its channel by, never changed. */
  readonly payChannel: number;
  /** Payers are offered open channels by rank, the lowest first. */
  readonly rank: number;
  /** What payers call it, for the page. */
  readonly title: OpenChannel["title"];
  /** How a person pays with it: what `payUrl` is. */
  readonly kind: OpenChannel["kind"];
  /** Its channel is open where these are set. */
  readonly settings: SettingsBlock;
  /** Where it reports payments and refunds: `POST /live/bank/payNotify/<path>`. */
  readonly webhook: { readonly path: string; readonly summary: string };
  /** The file that its bill of a day is downloaded as, for people. */
  readonly billFile: string;
  /** A page of its own, shown at `GET path` and used by `POST path` with these fields. */
  readonly page?: { readonly path: string; readonly fields: z.ZodObject };
  /** The folder of its own tables, in payment's database. */
  readonly migrations?: string;
  load(): Promise<ProviderImplementation>;
}

/** What a provider is opened with. */
export interface ProviderSurroundings {
  /** Its declared settings, validated. */
  readonly settings: Readonly<Record<string, string | undefined>>;
  /** The full address of its webhook. */
  readonly webhookUrl: string;
  /** Where people reach the gateway, without a slash at its end. */
  readonly pageBase: string;
  /** Payment's database, for tables of its own. */
  readonly mysql: Database;
  readonly logger: Log;
}

interface ProviderImplementation {
  /** Opens the channel; what it does in the background begins, until `stop`. */
  open(surroundings: ProviderSurroundings): PaymentProvider;
  /** The lines of a bill file. @throws RangeError where it is no whole bill of this provider. */
  readBill(file: Buffer): BillLine[];
}

/** How an order stands at the provider, by its verified answer. */
export type ProviderOrder =
  | { readonly status: "paid"; readonly transactionId: string; readonly amount: number; readonly time: Date }
  /** It was paid at `time`, and the payment went back since: `refundAmount` of it, where the provider knows how much. */
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
  /** The provider does not know the order: nobody has begun to pay. */
  | { readonly status: "unknown" };

interface RefundRequest {
  readonly orderId: string;
  readonly transactionId: string;
  /** What was paid, and is given back as a whole: fen. */
  readonly amount: number;
  readonly reason: string;
}

/** An open payment channel. An implementation knows the provider's formats, keys and merchant, and no order states. */
export interface PaymentProvider {
  /** Asks for what the order is paid by until `expires`. Idempotent by order id. Fails: unavailable. */
  createPayment(order: Order, productName: string, expires: Date): Promise<{ payUrl: string }>;
  /**
   * Verifies signature, freshness, merchant and currency, in this order, and only then reads on. Payments and refunds
   * come to the same address.
   * @throws WebhookRefused
   */
  readWebhook(raw: RawWebhook, now: Date): ProviderReport;
  /** What the provider is answered. `httpStatus` is that of a refusal. */
  answer(outcome: Outcome, httpStatus: number): WebhookAnswer;
  /** How the order stands at the provider. Fails: unavailable, where the answer did not come or did not verify. */
  queryOrder(orderId: string): Promise<ProviderOrder>;
  /**
   * Asks that nobody can pay the order any more. The result is seen by `queryOrder`: it may have been paid meanwhile.
   * Fails: unavailable.
   */
  closeOrder(orderId: string): Promise<void>;
  /** Gives the whole payment back, once: a repeat is the same refund and answers its present state. Fails: unavailable. */
  refund(request: RefundRequest): Promise<"done" | "processing" | "failed">;
  /** What was paid and refunded on a day (YYYY-MM-DD, Beijing's). Fails: unavailable. */
  bill(date: string): Promise<BillLine[]>;
  /** The declared page, as HTML. `press`: its form was posted. Fails: notFound, invalidParam. */
  page?(fields: Readonly<Record<string, string>>, press: boolean): Promise<string>;
  /** Ends what it does in the background. */
  stop?(): Promise<void>;
}

/** A channel that is open on this node. */
export interface OpenProvider {
  readonly declared: ProviderDeclaration;
  readonly provider: PaymentProvider;
}

/** The open channels by name, in the order in which payers are offered them. */
export type OpenProviders = ReadonlyMap<string, OpenProvider>;
