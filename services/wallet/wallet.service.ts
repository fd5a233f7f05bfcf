import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { redisLockMixin } from "../../mixins/redis-lock.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import type { MixinsAt } from "../further-server.ts";
import { ledgerSealsOn, sealedAudit } from "../sealing.ts";
import { eventSigner } from "../signed-events.ts";
import { paySignatures, platformSignatures } from "../signing-keys.ts";
import { eventStream, topicStream } from "../streams.ts";
import { statusAction, unusableOn } from "./account-status.ts";
import { balancesApart, fundsOn } from "./balances.ts";
import { bucketActions } from "./buckets/bucket-actions.ts";
import { openServers } from "./buckets/open-servers.ts";
import { creditsOfTime, refundsOfTime } from "./credit-store.ts";
import { creditsOn, refundsOn } from "./credits.ts";
import { erasureActions } from "./erasure.ts";
import { fundsMixin, fundsOf, limitFailures } from "./funds.ts";
import { settleGifts } from "./gift-charges.ts";
import { holdHandlers } from "./holds/hold-actions.ts";
import { incomeOf, payOut } from "./income/payouts.ts";
import { closeLedgers, openLedgers } from "./open-ledgers.ts";
import { creditRecharges, payTopic, takeBackRefunds } from "./pay-topics.ts";
import { registerForgedOrders, takePlatformOrder } from "./platform-orders.ts";
import { staffActions } from "./staff-actions.ts";
import { statementPage } from "./statement.ts";
import { walletActions } from "./wallet.contract.ts";
import type { WalletState } from "./wallet-state.ts";
import { noBalance } from "./wallet-store.ts";

/** What a further server has of its own. */
const mixinsAt: MixinsAt = ({ name, url, presence }) => [
  mysqlMixin("wallet", migrationFolders.wallet, { url, presence }),
  outboxMixin,
  ledgerSealsOn(name),
];

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
        return settleGifts(this.writer, this.failedGifts, ctx.params);
      },
    },
    checkFunds: {
      async handler(ctx) {
        const { gifts } = ctx.params;
        const verdicts = await fundsOf(this.funds, gifts, (ids) => fundsOn(this.servers, ids));
        return { funds: limitFailures(gifts, verdicts, this.failedGifts) };
      },
    },
    unusableOf: {
      async handler(ctx) {
        return unusableOn(this.servers, ctx.params);
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
        return statementPage(this.servers, ctx.params);
      },
    },
    creditsOf: {
      handler(ctx) {
        return creditsOn(this.servers, ctx.params.orderIds);
      },
    },
    refundsOf: {
      handler(ctx) {
        return refundsOn(this.servers, ctx.params.orderIds);
      },
    },
    creditsBetween: {
      handler(ctx) {
        const { from, to, cursor } = ctx.params;
        return this.servers.inTurn(cursor, (db, at) => creditsOfTime(db, new Date(from), new Date(to), at));
      },
    },
    refundsBetween: {
      handler(ctx) {
        const { from, to, cursor } = ctx.params;
        return this.servers.inTurn(cursor, (db, at) => refundsOfTime(db, new Date(from), new Date(to), at));
      },
    },
    income: {
      handler(ctx) {
        return incomeOf(this.servers, ctx.params.userId);
      },
    },
    payout: {
      operator: true,
      handler(ctx) {
        return payOut(this.servers, ctx.params);
      },
    },
    platformOrder: { ...byBucket, handler: takePlatformOrder },
    ...holdHandlers,
    ...staffActions,
    ...erasureActions,
    ...bucketActions,
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
    this.openServers = await openServers(this, mixinsAt);
    this.servers = this.openServers.servers;
    // Before the channels: nothing is written without the filters of the archives.
    await openLedgers(this);
    this.balances = new BatchLoader((ids) => balancesApart(this.servers, ids), limits.mysql.batchLoader);
  },

  async stopped() {
    await closeLedgers(this);
    await this.openServers?.close();
  },
});
