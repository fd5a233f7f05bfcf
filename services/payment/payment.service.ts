import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { catalogueTableMixin } from "../../mixins/catalogue-table.mixin.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { retentionLoop } from "../../mixins/retention/retention-loop.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { providerWebhookKeepDays } from "../retention-settings.ts";
import { sealedAudit } from "../sealing.ts";
import { payKeys, paySignatures } from "../signing-keys.ts";
import { eventStream, topicStream } from "../streams.ts";
import { erasureActions } from "./erasure.ts";
import { keepPaymentGauges } from "./gauges.ts";
import { dailyRun, openMaintenance } from "./maintenance/maintenance.ts";
import { operatorActions } from "./operator-actions.ts";
import { payOrderOf } from "./order.ts";
import { orderMacs } from "./order-macs.ts";
import { orderForOperators, orderForPayer, refundOrder, releaseOrder, startOrder } from "./orders.ts";
import { paymentActions } from "./payment.contract.ts";
import type { PaymentState } from "./payment-state.ts";
import { keptWebhooks } from "./payment-store.ts";
import { offerOf, productColumns, shownProducts } from "./product.ts";
import { openChannels, openProviders, pageOf, requireUsableSettings } from "./providers/open-providers.ts";
import { reconcileDay, takeBill } from "./reconciliation/reconcile.ts";
import { walletBooks } from "./reconciliation/wallet-books.ts";
import { RowBudget } from "./row-budget.ts";
import { staffActions } from "./staff-actions.ts";
import { takeWebhook } from "./webhooks.ts";

export default defineService<"payment", PaymentState>({
  name: "payment",
  contract: paymentActions,
  mixins: [
    mysqlMixin("payment", migrationFolders.payment),
    jetstreamMixin([topicStream, eventStream]),
    outboxMixin,
    catalogueTableMixin({ service: "payment", table: "t_pay_product", primaryKey: "id", columns: productColumns }),
    ...sealedAudit("payment"),
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

    webhook: {
      async handler(ctx) {
        const { channel, ...raw } = ctx.params;
        const open = this.providers.get(channel);
        return open ? takeWebhook(this, { open, raw, requestId: ctx.requestID ?? null }) : null;
      },
    },

    providerPage: {
      async handler(ctx) {
        return { html: await pageOf(this.providers, ctx.params) };
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
        const order = await refundOrder(this, ctx.params, ctx.requestID ?? null);
        this.maintenance?.openRefunds.wake();
        return payOrderOf(order);
      },
    },

    releaseOrder: {
      operator: true,
      async handler(ctx) {
        return payOrderOf(await releaseOrder(this, ctx.params, ctx.requestID ?? null));
      },
    },

    takeBill: {
      async handler(ctx) {
        await takeBill(this, ctx.params);
        return null;
      },
    },

    reconcile: {
      operator: true,
      async handler(ctx) {
        const comparing = { context: this, books: walletBooks(ctx), now: this.clock() };
        return reconcileDay(comparing, this.providers, ctx.params);
      },
    },

    ...operatorActions,
    ...staffActions,
    ...erasureActions,
  },

  created() {
    requireUsableSettings();
    this.signatures = paySignatures();
    this.macs = orderMacs(payKeys(), config().NAMESPACE);
    this.steps = {};
    this.clock = Date.now;
    this.refusedRows = new RowBudget(limits.payment.refusedWebhookRowsPerMinute);
  },

  async started() {
    this.providers = await openProviders(config(), this);
    this.maintenance = openMaintenance(this);
    this.retention = retentionLoop(this, [keptWebhooks(providerWebhookKeepDays(this.logger))]);
    this.gauges = keepPaymentGauges(this, dailyRun(this));
  },

  async stopped() {
    for (const { provider } of this.providers?.values() ?? []) await provider.stop?.();
    await Promise.all(Object.values(this.maintenance ?? {}).map((job) => job.stop()));
    await this.retention?.stop();
    await this.gauges?.stop();
  },
});
