import type { Log } from "../../broker/log.ts";
import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import type { OrderMacs } from "./order-macs.ts";
import type { RowBudget } from "./row-budget.ts";

/** Points at which a test simulates a crash; empty in a running system. */
export interface CrashPoints {
  /** The order is paid, and its messages are not written yet. */
  afterStateChange?(orderId: string): void;
  /** Everything is written, and nothing is committed yet. */
  beforeCommit?(orderId: string): void;
}

/** The dependencies of the payment modules, from the service. */
export interface PaymentContext extends OutboxState, SealsState {
  readonly mysql: Database;
  readonly logger: Log;
  /** Of the messages to the topics. */
  readonly signatures: MessageSignatures;
  readonly macs: OrderMacs;
  readonly steps: CrashPoints;
  /** Bounds the audit rows of webhooks that are not genuine. */
  readonly refusedRows: RowBudget;
}
