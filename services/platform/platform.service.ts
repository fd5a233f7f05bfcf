import type { Service } from "moleculer";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { broadcast } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { sealedAudit } from "../sealing.ts";
import { eventStream } from "../streams.ts";
import { Idempotency } from "./idempotency.ts";
import { IdempotencyPurge } from "./idempotency-purge.ts";
import { createKey, keysSince, listKeys, revokeKey } from "./keys.ts";
import { platformActions } from "./platform.contract.ts";

interface State extends MysqlState {
  idempotency: Idempotency;
  idempotencyPurge: IdempotencyPurge;
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
  settings: {},
  mixins: [
    mysqlMixin("platform", migrationFolders.platform),
    jetstreamMixin([eventStream]),
    outboxMixin,
    ...sealedAudit("platform"),
    healthMixin,
  ],

  actions: {
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
        return listKeys(this.mysql, params.after);
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
  },

  started() {
    this.idempotency = new Idempotency(this.mysql);
    this.idempotencyPurge = new IdempotencyPurge(this);
  },

  async stopped() {
    await this.idempotencyPurge?.stop();
  },
});
