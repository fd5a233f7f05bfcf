import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import type { Maintenance } from "./maintenance/maintenance.ts";
import type { OrderMacs } from "./order-macs.ts";
import type { CrashPoints } from "./payment-context.ts";
import type { productColumns } from "./product.ts";
import type { OpenProviders } from "./providers/provider.ts";
import type { RowBudget } from "./row-budget.ts";

/** The properties that the service, its mixins and its start put on `this`. */
export interface PaymentState
  extends MysqlState,
    JetStreamState,
    OutboxState,
    SealsState,
    CatalogueState<typeof productColumns> {
  providers: OpenProviders;
  gauges?: BackgroundLoop;
  retention?: LeasedLoop;
  maintenance?: Maintenance;
  signatures: MessageSignatures;
  macs: OrderMacs;
  steps: CrashPoints;
  refusedRows: RowBudget;
  /** The time by which the daily reconciliation goes, milliseconds since 1970. A test sets it. */
  clock: () => number;
}
