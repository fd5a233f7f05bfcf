import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { type OutboxState, outboxMixin } from "../../mixins/outbox.mixin.ts";
import { OutgoingHttp } from "../../mixins/outgoing/outgoing-http.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { redisLockMixin } from "../../mixins/redis-lock.mixin.ts";
import { call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { ExternalRooms } from "../external-rooms.ts";
import { ExternalUsers } from "../external-users.ts";
import { type Limits, limitsOf } from "../limits-of.ts";
import type { SealedSecrets } from "../sealed-secrets.ts";
import { eventStream } from "../streams.ts";
import { webhookKeys } from "../webhook-keys.ts";
import { webhookReceivers } from "../webhook-settings.ts";
import { deliveries, replay } from "./delivery-log.ts";
import { Dispatcher } from "./dispatcher.ts";
import { allEvents } from "./event-intake.ts";
import { keepWebhookGauges } from "./gauges.ts";
import { Intake } from "./intake.ts";
import { WebhookMaintenance } from "./maintenance.ts";
import { beginStore } from "./message-store.ts";
import { WebhookMetrics } from "./metrics.ts";
import { webhookSecrets } from "./secrets.ts";
import { create, list, remove, rotate, update } from "./subscriptions.ts";
import { webhookActions } from "./webhook.contract.ts";

interface State extends MysqlState, OutboxState {
  secrets: SealedSecrets;
  http: OutgoingHttp;
  rooms: ExternalRooms | undefined;
  intake: Intake;
  dispatcher: Dispatcher;
  maintenance: WebhookMaintenance;
  webhookGauges: BackgroundLoop;
}

/** Bounds that tests change. */
export type WebhookSettings = Partial<Limits<Omit<typeof limits.webhook, "pausesMs">>>;

export default defineService<"webhook", State>({
  name: "webhook",
  contract: webhookActions,
  settings: {} satisfies WebhookSettings,
  mixins: [
    mysqlMixin("webhook", migrationFolders.webhook),
    optionalRedisMixin,
    redisLockMixin,
    jetstreamMixin([eventStream]),
    outboxMixin,
    healthMixin,
  ],

  actions: {
    create: {
      async handler(ctx) {
        const made = await create(this, ctx.params);
        this.dispatcher.webhooksChanged();
        return made;
      },
    },
    list: {
      handler(ctx) {
        return list(this, ctx.params);
      },
    },
    update: {
      async handler(ctx) {
        const changed = await update(this, ctx.params);
        this.dispatcher.webhooksChanged();
        return changed;
      },
    },
    delete: {
      async handler(ctx) {
        await remove(this, ctx.params.webhookId);
        this.dispatcher.webhooksChanged();
        return null;
      },
    },
    rotate: {
      async handler(ctx) {
        const rotated = await rotate(this, ctx.params);
        this.dispatcher.webhooksChanged();
        return rotated;
      },
    },
    deliveries: {
      handler(ctx) {
        return deliveries(this.mysql, ctx.params);
      },
    },
    replay: {
      async handler(ctx) {
        const { webhookId, deliveryId, from, to } = ctx.params;
        const answer = await replay(this.mysql, ctx.params);
        this.logger.info({ webhookId, deliveryId, from, to, ...answer }, "webhook deliveries are made again");
        this.dispatcher.wake();
        return answer;
      },
    },
  },

  channels: { events: allEvents },

  events: {
    "living-room.changed": {
      handler(ctx) {
        this.rooms?.forget(ctx.params.roomId);
      },
    },
  },

  created() {
    // Here, so that a node without keys does not start.
    this.secrets = webhookSecrets(webhookKeys());
  },

  async started() {
    const { mysql, broker, logger: log, secrets } = this;
    await beginStore(mysql);
    const metrics = new WebhookMetrics(broker, log);
    // Of the platform's ids it asks for none: it has ours.
    const users = new ExternalUsers({
      idsOfExternal: async () => ({ list: [] }),
      externalIdsOf: (userIds) => call(broker, "user.externalIdsOf", { userIds }),
    });
    const rooms = new ExternalRooms({
      idsOfExternal: async () => [],
      externalIdsOf: async (roomIds) => (await call(broker, "living-room.externalIdsOf", { roomIds })).list,
    });
    this.rooms = rooms;
    this.http = new OutgoingHttp({ receivers: webhookReceivers() });
    this.dispatcher = new Dispatcher({ service: this, http: this.http, secrets, metrics });
    this.maintenance = new WebhookMaintenance({ service: this, metrics });
    this.intake = new Intake({
      ...{ mysql, log, bounds: limitsOf(limits.webhook, this) },
      async externalIds({ userIds, roomIds }) {
        const [byUser, byRoom] = await Promise.all([users.externalIdsOf(userIds), rooms.externalIdsOf(roomIds)]);
        return { users: byUser, rooms: byRoom };
      },
      stored: () => this.dispatcher.wake(),
      dropped: (webhookId, count, why) => metrics.dropped(webhookId, count, why),
    });
    this.webhookGauges = keepWebhookGauges(this);
  },

  async stopped() {
    await Promise.all([this.webhookGauges?.stop(), this.maintenance?.stop(), this.dispatcher?.stop()]);
    this.http?.close();
  },
});
