import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin, type MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import { broadcast } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { fourEyesCoins } from "../four-eyes-settings.ts";
import { sealedAudit } from "../sealing.ts";
import { platformSignatures } from "../signing-keys.ts";
import { eventStream } from "../streams.ts";
import { Idempotency } from "./idempotency.ts";
import { idempotencyPurge } from "./idempotency-purge.ts";
import { createKey, keysSince, listKeys, revokeKey } from "./keys.ts";
import { type MoneyState, moneyHandlers } from "./money/actions.ts";
import { erasureActions } from "./money/erasure.ts";
import { keepMoneyGauges } from "./money/gauges.ts";
import { MoneyOrders } from "./money/money-orders.ts";
import { readOpenOrders } from "./money/order-store.ts";
import { PendingOrders, type PendingOrdersSettings } from "./money/pending-orders.ts";
import { platformActions } from "./platform.contract.ts";

interface State extends MysqlState, SealsState, MoneyState {
  idempotency: Idempotency;
  idempotencyPurge: LeasedLoop;
  /** Of orders to move money. */
  orderSignatures: MessageSignatures;
  fourEyesCoins: number;
  pendingOrders: PendingOrders;
  moneyGauges: BackgroundLoop;
}

/** They also poll: where it is lost they know a little later. */
async function tellGateways({ broker, logger }: Pick<Service, "broker" | "logger">, revision: number): Promise<void> {
  await broadcast(broker, "platform.keys-changed", { revision }).catch((err: unknown) =>
    logger.warn({ err, revision }, "gateways were not told that the API keys changed: they read it by themselves"),
  );
}

/** What the platform's own backends need: API keys, and what became of their writes. */
export default defineService<"platform", State>({
  name: "platform",
  contract: platformActions,
  settings: { ordersEveryMs: limits.platform.ordersEveryMs } satisfies PendingOrdersSettings,
  mixins: [
    mysqlMixin("platform", migrationFolders.platform),
    jetstreamMixin([eventStream]),
    outboxMixin,
    ...sealedAudit("platform"),
    healthMixin,
  ],

  actions: {
    figures: {
      async handler() {
        return { openProposals: (await readOpenOrders(this.mysql)).proposals };
      },
    },
    createKey: {
      operator: true,
      async handler(ctx) {
        const { keyId, key, revision } = await createKey(this.mysql, ctx.params);
        await tellGateways(this, revision);
        return { keyId, key };
      },
    },
    revokeKey: {
      operator: true,
      async handler(ctx) {
        const { revoked, revision } = await revokeKey(this.mysql, ctx.params);
        await tellGateways(this, revision);
        return revoked;
      },
    },
    listKeys: {
      handler({ params }) {
        return listKeys(this.mysql, params);
      },
    },
    keysSince: {
      handler({ params }) {
        return keysSince(this.mysql, params);
      },
    },
    begin: {
      async handler({ params }) {
        return { outcomes: await this.idempotency.begin(params.writes) };
      },
    },
    finish: {
      async handler({ params }) {
        return { kept: await this.idempotency.finish(params.writes) };
      },
    },
    ...moneyHandlers,
    ...erasureActions,
  },

  created() {
    // Here, so that a node without keys does not start.
    this.orderSignatures = platformSignatures();
    this.fourEyesCoins = fourEyesCoins();
  },

  started() {
    this.idempotency = new Idempotency(this.mysql);
    this.idempotencyPurge = idempotencyPurge(this);
    this.moneyOrders = new MoneyOrders(this, this.orderSignatures, this.fourEyesCoins);
    this.pendingOrders = new PendingOrders(this, this.moneyOrders);
    this.moneyGauges = keepMoneyGauges(this);
  },

  async stopped() {
    await this.moneyGauges?.stop();
    await this.pendingOrders?.stop();
    await this.idempotencyPurge?.stop();
  },
});
