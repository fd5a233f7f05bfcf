import type { Log } from "../../broker/log.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { RowBudget } from "./row-budget.ts";

/** Places where a test lets the service die; empty in a running system. */
export interface CrashPoints {
  /** The order is paid, its messages are not written. */
  afterStateChange?(orderId: string): void;
  /** Everything is written, nothing is committed. */
  beforeCommit?(orderId: string): void;
}

/** What the payment modules work with: the service, as far as they need it. */
export interface PaymentContext extends OutboxState {
  readonly mysql: Database;
  readonly logger: Log;
  readonly steps: CrashPoints;
  /** For the audit rows of webhooks that are not genuine. */
  readonly refusedRows: RowBudget;
}
