import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type CatalogueState, catalogueTableMixin } from "../../mixins/catalogue-table.mixin.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { operatorAuditMixin } from "../../mixins/operator-audit.mixin.ts";
import { type OutboxState, outboxMixin } from "../../mixins/outbox.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { eventStream, topicStream } from "../streams.ts";
import { type Cashier, requireCashier } from "./cashier/cashier.ts";
import type { CrashPoints } from "./desk.ts";
import { keepPaymentGauges } from "./gauges.ts";
import type { Janitor } from "./janitor/janitor.ts";
import { openJanitor } from "./janitor/open-janitor.ts";
import { takeNotice } from "./notices.ts";
import { payOrderOf } from "./order.ts";
import { orderForOperators, orderForPayer, refundOrder, startOrder } from "./orders.ts";
import { paymentActions } from "./payment.contract.ts";
import { offerOf, productColumns, shownProducts } from "./product.ts";
import { openProviders } from "./providers/open-providers.ts";
import { openChannels, type Providers } from "./providers/provider.ts";
import { keepBillLines } from "./reconciliation/bill-line-store.ts";
import { creditBooks } from "./reconciliation/credit-books.ts";
import { reconcileDay } from "./reconciliation/reconcile.ts";
import { keepReleasing, releaseHeld } from "./release.ts";
import { RowBudget } from "./row-budget.ts";

export interface PaymentState extends MysqlState, JetStreamState, OutboxState, CatalogueState<typeof productColumns> {
  providers: Providers;
  /** Where the sandbox cashier is open. */
  cashier?: Cashier;
  parkedOrders?: BackgroundLoop;
  gauges?: BackgroundLoop;
  janitor?: Janitor;
  steps: CrashPoints;
  strangerRows: RowBudget;
}

export default defineService<"payment", PaymentState>({
  name: "payment",
  contract: paymentActions,
  mixins: [
    mysqlMixin("payment", migrationFolders.payment),
    jetstreamMixin([topicStream, eventStream]),
    outboxMixin,
    catalogueTableMixin({ table: "t_pay_product", primaryKey: "id", columns: productColumns }),
    operatorAuditMixin,
    healthMixin,
  ],

  actions: {
    products: {
      async handler(ctx) {
        const { type } = ctx.params;
        return shownProducts(await this.catalogue.find({ query: { type, validStatus: 1 }, sort: "-price" }));
      },
    },

    payChannels: {
      handler() {
        return openChannels(this.providers);
      },
    },

    pay: {
      async handler(ctx) {
        const { productId, ...request } = ctx.params;
        const offer = offerOf(await this.catalogue.byId(productId));
        return startOrder(this, this.providers, { ...request, offer, requestId: ctx.requestID ?? null });
      },
    },

    order: {
      handler(ctx) {
        return orderForPayer(this, ctx.params);
      },
    },

    notice: {
      async handler(ctx) {
        const { channel, ...raw } = ctx.params;
        const provider = this.providers.get(channel);
        return provider ? takeNotice(this, { provider, raw, requestId: ctx.requestID ?? null }) : null;
      },
    },

    cashierPage: {
      async handler(ctx) {
        return { html: await requireCashier(this).page(ctx.params.orderId) };
      },
    },

    cashierPress: {
      async handler(ctx) {
        return { html: await requireCashier(this).press(ctx.params.orderId, ctx.params.action) };
      },
    },

    findOrder: {
      operator: true,
      async handler(ctx) {
        return orderForOperators(this, ctx.params.orderId);
      },
    },

    refund: {
      operator: true,
      async handler(ctx) {
        const { orderId, reason } = ctx.params;
        const order = await refundOrder(this, orderId, reason, ctx.requestID ?? null);
        this.janitor?.wake();
        return payOrderOf(order);
      },
    },

    release: {
      operator: true,
      async handler(ctx) {
        return payOrderOf(await releaseHeld(this, ctx.params.orderId, ctx.requestID ?? null));
      },
    },

    takeBill: {
      async handler(ctx) {
        await keepBillLines(this.mysql, ctx.params);
        return null;
      },
    },

    reconcile: {
      operator: true,
      async handler(ctx) {
        return reconcileDay(this, this.providers, creditBooks(ctx), ctx.params);
      },
    },
  },

  created() {
    this.steps = {};
    this.strangerRows = new RowBudget(limits.payment.strangerNoticesPerMinute);
  },

  started() {
    Object.assign(this, openProviders(config(), this.mysql, this.logger));
    this.janitor = openJanitor(this);
    this.gauges = keepPaymentGauges(this);
    this.parkedOrders = keepReleasing(this);
  },

  async stopped() {
    await this.cashier?.stop();
    await this.parkedOrders?.stop();
    await this.gauges?.stop();
    await this.janitor?.stop();
  },
});
