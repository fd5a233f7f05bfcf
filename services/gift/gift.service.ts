import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { catalogueTableMixin } from "../../mixins/catalogue-table.mixin.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { redisLockMixin } from "../../mixins/redis-lock.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { onEvent } from "../durable-event.ts";
import { sealedAudit } from "../sealing.ts";
import { eventSigner } from "../signed-events.ts";
import { giftSignatures } from "../signing-keys.ts";
import { eventStream, giftStream } from "../streams.ts";
import { acceptAlone, acceptGifts, openAcceptance } from "./accept-gifts.ts";
import { CatalogueCache, giftColumns } from "./catalogue-cache.ts";
import { Combos } from "./combos.ts";
import { reportDead } from "./dead-gifts.ts";
import { settledFromBooks, showInTime } from "./effects.ts";
import { giftActions } from "./gift.contract.ts";
import { giftReading } from "./gift-group.ts";
import { GiftMetrics } from "./gift-metrics.ts";
import type { GiftState } from "./gift-state.ts";
import { catalogueChecksum } from "./gift-store.ts";
import { addingUpMinutes } from "./minutes.ts";
import { operatorActions } from "./operator-actions.ts";
import { orderActions } from "./order-actions.ts";
import { giftRecovery } from "./put-back.ts";
import { settlerDurable } from "./queue.ts";
import { queueWatermark } from "./queue-watermark.ts";
import { RecordServers } from "./record-servers.ts";
import { settle } from "./settler.ts";
import { staffActions } from "./staff-actions.ts";
import { Totals } from "./totals.ts";
import { workActions } from "./work-actions.ts";

export default defineService<"gift", GiftState>({
  name: "gift",
  contract: giftActions,
  mixins: [
    mysqlMixin("gift", migrationFolders.gift),
    catalogueTableMixin({ service: "gift", table: "t_gift_config", primaryKey: "giftId", columns: giftColumns }),
    optionalRedisMixin,
    redisLockMixin,
    jetstreamMixin([giftStream, eventStream], () => eventSigner("gift")),
    outboxMixin,
    ...sealedAudit("gift"),
    healthMixin,
  ],

  actions: {
    catalogue: {
      handler(ctx) {
        return this.catalogueCache.page(ctx.params.after);
      },
    },
    send: {
      async handler(ctx) {
        const answer = await acceptAlone(this, ctx, ctx.params);
        if ("failure" in answer) throw fail(answer.failure, { userId: ctx.params.userId, ...answer.data });
        return answer;
      },
    },
    sendMany: {
      async handler(ctx) {
        return { answers: await acceptGifts(this, ctx, ctx.params.gifts) };
      },
    },
    ...orderActions,
    ...staffActions,
    records: {
      handler(ctx) {
        return this.records.page(ctx.params);
      },
    },
    ...operatorActions,
    ...workActions,
    settledSince: {
      handler(ctx) {
        return this.records.settledSince({ ...ctx.params, since: new Date(ctx.params.since) });
      },
    },
    settledBefore: {
      handler(ctx) {
        return this.watermark.settledBefore(Date.parse(ctx.params.time));
      },
    },
    totals: {
      handler(ctx) {
        return this.totals.of(ctx.params);
      },
    },
  },

  events: {
    "living-room.changed": {
      handler(ctx) {
        this.roomReceivers.forget(ctx.params.roomId);
      },
    },
    "wallet.account-changed": {
      handler(ctx) {
        this.receivers.forget(ctx.params.userId);
      },
    },
    "gift.catalogue-changed": {
      handler(ctx) {
        this.catalogueCache.evict(ctx.params.giftId);
      },
    },
  },

  channels: {
    accepted: {
      stream: giftStream,
      durable: settlerDurable,
      batch: limits.gift.settleBatch,
      batchesInFlight: limits.gift.settleBatchesInFlight,
      heldMessages: limits.gift.settleHeldGifts,
      gather: limits.gift.settleGather,
      ...giftReading,
      signatures() {
        return this.signatures;
      },
      handler(messages) {
        return settle(this, messages, this.settleBreakpoint);
      },
      dead: reportDead,
    },
    effects: onEvent("gift.settled", showInTime, {
      inFlight: limits.gift.effectEventsInFlight,
      inOrder: true,
      fromBooks: settledFromBooks,
    }),
  },

  created() {
    this.signatures = giftSignatures();
    this.metrics = new GiftMetrics(this.broker);
    openAcceptance(this);
    this.combos = new Combos();
    this.settleBreakpoint = () => {};
  },

  async started() {
    this.records = await RecordServers.open(this, ({ url, presence }) => [
      mysqlMixin("gift", migrationFolders.gift, { url, presence }),
    ]);
    // The generation is included, since rows that were read before a failover may be old.
    const checksum = async () => `${await catalogueChecksum(this.mysql)} ${this.mysql.generation}`;
    this.catalogueCache = new CatalogueCache(this.catalogue, checksum);
    this.watermark = queueWatermark(this);
    this.totals = new Totals(this.mysql.name, this.records.all);
    this.minutes = this.records.all.map(({ view }) => addingUpMinutes(view));
    this.jetstream.recover(giftRecovery(this));
    this.catalogueWatch = this.catalogueCache.watch(this.logger);
  },

  async stopped() {
    await Promise.all([this.catalogueWatch?.stop(), ...(this.minutes ?? []).map((minutes) => minutes.stop())]);
    await this.totals?.close();
    this.gate?.close();
    await this.records?.close();
  },
});
