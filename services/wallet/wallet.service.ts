import { limits } from "../../config/limits.ts";
import { openFilters } from "../../mixins/archive/filters.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { redisLockMixin } from "../../mixins/redis-lock.mixin.ts";
import { archivedTrades } from "../archived-tables.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { sealedAudit } from "../sealing.ts";
import { eventSigner } from "../signed-events.ts";
import { paySignatures, platformSignatures } from "../signing-keys.ts";
import { eventStream, topicStream } from "../streams.ts";
import { statusAction } from "./account-status.ts";
import { creditsOfOrders, creditsOfTime, refundsOfOrders, refundsOfTime } from "./credit-store.ts";
import { erasureActions } from "./erasure.ts";
import { fundsMixin, fundsOf, limitFailures } from "./funds.ts";
import { settleGifts } from "./gift-charges.ts";
import { holdHandlers } from "./holds/hold-actions.ts";
import { IncomeRollup } from "./income/income-rollup.ts";
import { incomeOf, payOut } from "./income/payouts.ts";
import { openWriter } from "./open-writer.ts";
import { creditRecharges, payTopic, takeBackRefunds } from "./pay-topics.ts";
import { registerForgedOrders, takePlatformOrder } from "./platform-orders.ts";
import { staffActions } from "./staff-actions.ts";
import { statementPage } from "./statement.ts";
import { walletActions } from "./wallet.contract.ts";
import type { WalletState } from "./wallet-state.ts";
import { noBalance, readBalances, readUnusable } from "./wallet-store.ts";

const byBucket = { strategy: "Rendezvous", strategyOptions: { shardKey: "bucket" } } as const;

export default defineService<"wallet", WalletState>({
  name: "wallet",
  contract: walletActions,
  /** See RollupSettings and CheckpointSettings. */
  settings: {
    incomeRollupEveryMs: limits.wallet.incomeRollupEveryMs,
    checkpointEveryMs: limits.books.checkpointEveryMs,
  },
  mixins: [
    mysqlMixin("wallet", migrationFolders.wallet),
    optionalRedisMixin,
    redisLockMixin,
    jetstreamMixin([topicStream, eventStream], () => eventSigner("wallet")),
    outboxMixin,
    ...sealedAudit("wallet"),
    healthMixin,
    fundsMixin,
  ],

  actions: {
    consumeForSendGift: {
      ...byBucket,
      async handler(ctx) {
        return { outcomes: await settleGifts(this.writer, this.failedGifts, ctx.params.gifts) };
      },
    },
    checkFunds: {
      async handler(ctx) {
        const { gifts } = ctx.params;
        const verdicts = await fundsOf(this.funds, gifts, (ids) => readBalances(this.mysql, ids));
        return { funds: limitFailures(gifts, verdicts, this.failedGifts) };
      },
    },
    unusableOf: {
      async handler(ctx) {
        return { userIds: await readUnusable(this.mysql, ctx.params.userIds) };
      },
    },
    balance: {
      async handler(ctx) {
        const { userId } = ctx.params;
        return (await this.balances.get(userId)) ?? noBalance(userId);
      },
    },
    statement: {
      handler(ctx) {
        return statementPage(this.mysql, ctx.params);
      },
    },
    creditsOf: {
      async handler(ctx) {
        return { list: await creditsOfOrders(this.mysql, this.archive, ctx.params.orderIds) };
      },
    },
    refundsOf: {
      async handler(ctx) {
        return { list: await refundsOfOrders(this.mysql, this.archive, ctx.params.orderIds) };
      },
    },
    creditsBetween: {
      handler(ctx) {
        const { from, to, cursor } = ctx.params;
        return creditsOfTime(this.mysql, new Date(from), new Date(to), cursor);
      },
    },
    refundsBetween: {
      handler(ctx) {
        const { from, to, cursor } = ctx.params;
        return refundsOfTime(this.mysql, new Date(from), new Date(to), cursor);
      },
    },
    income: {
      handler(ctx) {
        return incomeOf(this.mysql, ctx.params.userId);
      },
    },
    payout: {
      operator: true,
      handler(ctx) {
        return payOut(this, ctx.params);
      },
    },
    platformOrder: { ...byBucket, handler: takePlatformOrder },
    ...holdHandlers,
    ...staffActions,
    ...erasureActions,
    freeze: statusAction("freeze"),
    unfreeze: statusAction("unfreeze"),
  },

  channels: {
    recharges: {
      ...payTopic,
      subject: "pay.recharge",
      durable: "wallet-recharge",
      handler(messages) {
        return creditRecharges(this.writer, messages);
      },
    },
    refunds: {
      ...payTopic,
      subject: "pay.refund",
      durable: "wallet-refund",
      handler(messages) {
        return takeBackRefunds(this.writer, messages);
      },
    },
  },

  created() {
    // Here, so that a node without keys does not start.
    this.signatures = paySignatures();
    this.platformSignatures = platformSignatures();
    registerForgedOrders(this);
  },

  async started() {
    this.balances = new BatchLoader((ids) => readBalances(this.mysql, ids), limits.mysql.batchLoader);
    this.incomeRollup = new IncomeRollup(this);
    // Before the channels: nothing is written without them.
    this.archive = await openFilters(this, archivedTrades);
    this.writer = openWriter(this);
  },

  async stopped() {
    await this.writer?.drain();
    await Promise.all([this.incomeRollup?.stop(), this.archive?.stop()]);
  },
});
