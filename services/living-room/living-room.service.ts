import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { rateLimitMixin } from "../../mixins/rate-limit.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { broadcast, call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { checkedAnyway, onEvent } from "../durable-event.ts";
import { eventStream } from "../streams.ts";
import { closedSince, closeRoom } from "./broadcasting.ts";
import { erasureActions } from "./erasure.ts";
import { closeIfUnusable, closeUnusableAmong } from "./frozen-anchors.ts";
import { guestActions } from "./guest-actions.ts";
import { unlinkBanned, unlinkBannedAmong } from "./guests.ts";
import { countLiveRooms } from "./live-room-count-store.ts";
import { livingRoomActions } from "./living-room.contract.ts";
import { roomsOfType } from "./lookup-store.ts";
import { moderatorActions } from "./moderators.ts";
import { openLiveRoom } from "./opening.ts";
import { platformActions } from "./platform-rooms.ts";
import { RoomCache } from "./room-cache.ts";
import { requireRoomType } from "./room-form.ts";
import { type MonitorSettings, RoomMonitor } from "./room-monitor.ts";
import type { RoomState } from "./room-state.ts";
import { markAnchorEntered, markAnchorSeen, roomById, setWatchNumbers } from "./room-store.ts";
import { staffActions } from "./staff-actions.ts";

const { checkEveryMs, leaseMs, gapMs, accountsEveryMs } = limits.attendance;

export default defineService<"living-room", RoomState>({
  name: "living-room",
  contract: livingRoomActions,
  /** See MonitorSettings; `anchorAwayMs` is ROOM_ANCHOR_AWAY_MINUTES where it is not set. */
  settings: { checkEveryMs, leaseMs, gapMs, accountsEveryMs },
  mixins: [
    mysqlMixin("living-room", migrationFolders["living-room"]),
    optionalRedisMixin,
    rateLimitMixin,
    jetstreamMixin([eventStream]),
    outboxMixin,
    healthMixin,
  ],

  actions: {
    figures: { handler: countLiveRooms },
    start: {
      async handler(ctx) {
        const { userId, type, roomName } = ctx.params;
        requireRoomType(type);
        // Counted first: a start that is refused or fails counts too.
        const wait = await this.rateLimit.hit("room-start", userId, 1, limits.room.startEveryMs);
        if (wait > 0) throw fail("startTooOften", { waitMs: wait });
        const { room } = await openLiveRoom(this, ctx, { userId, type, roomName });
        return { roomId: room.roomId };
      },
    },

    close: {
      async handler(ctx) {
        const { userId, roomId } = ctx.params;
        const wait = await this.rateLimit.hit("room-close", userId, 1, limits.room.closeEveryMs);
        if (wait > 0) throw fail("closeTooOften", { waitMs: wait });
        const closed = await closeRoom(this, { anchorId: userId, roomId, requestId: ctx.requestID });
        await broadcast(this.broker, "living-room.changed", { roomId });
        this.logger.info({ roomId, anchorId: userId, closed, requestId: ctx.requestID }, "room closed");
        return null;
      },
    },
    ...platformActions,
    ...staffActions,
    ...erasureActions,
    ...moderatorActions,

    list: {
      async handler(ctx) {
        const { type, page, pageSize } = ctx.params;
        // One row more than the page shows whether there is another page.
        const rooms = await roomsOfType(this.mysql, type, (page - 1) * pageSize, pageSize + 1);
        return { list: rooms.slice(0, pageSize), hasNext: rooms.length > pageSize };
      },
    },

    find: {
      handler(ctx) {
        return this.rooms.get(ctx.params.roomId);
      },
    },
    anchorsOf: {
      async handler(ctx) {
        return { list: await this.rooms.receiversOf(ctx.params.roomIds) };
      },
    },
    anchorEntered: {
      async handler(ctx) {
        const { anchorId, roomId, late } = ctx.params;
        await (late ? markAnchorSeen : markAnchorEntered)(this.mysql, roomId, anchorId);
        return { live: (await roomById(this.mysql, roomId))?.anchorId === anchorId };
      },
    },
    ...guestActions,
    setWatchNumbers: {
      async handler(ctx) {
        await setWatchNumbers(this.mysql, ctx.params.rooms);
        return null;
      },
    },
  },

  channels: {
    /** Empties a closed room. A durable consumer, so the room is emptied later where the router was away. */
    roomClosed: onEvent(
      "room.closed",
      async function ({ data: { roomId }, requestId }) {
        await call(this.broker, "im-router.closeRoom", { roomId }, { requestID: requestId });
      },
      { inFlight: limits.room.closingsInFlight, fromBooks: closedSince },
    ),
    /** Closes the room of an anchor who was frozen. */
    accountFrozen: onEvent(
      "account.frozen",
      function ({ data, requestId }) {
        return closeIfUnusable(this, data.userId, requestId);
      },
      { inFlight: limits.room.closingsInFlight, fromBooks: checkedAnyway },
    ),
    /** Closes the room of an anchor who was banned everywhere, and unlinks a guest who was. */
    userRestricted: onEvent(
      "user.restricted",
      async function ({ data, requestId }) {
        if (data.kind !== "ban" || data.roomId !== null) return;
        await unlinkBanned(this, data.userId);
        await closeIfUnusable(this, data.userId, requestId);
      },
      { inFlight: limits.room.closingsInFlight, fromBooks: checkedAnyway },
    ),
    /** Closes a room that opened while its anchor was being frozen or banned. */
    roomOpened: onEvent(
      "room.opened",
      function ({ data, requestId }) {
        return closeIfUnusable(this, data.anchorId, requestId);
      },
      { inFlight: limits.room.closingsInFlight, fromBooks: checkedAnyway },
    ),
  },

  events: {
    "living-room.changed": {
      handler(ctx) {
        this.rooms.forget(ctx.params.roomId);
      },
    },
  },

  created() {
    this.rooms = new RoomCache(() => this.mysql);
  },

  started() {
    const { mysql, outbox, broker, logger: log } = this;
    const anchorAwayMs = Math.round(config().ROOM_ANCHOR_AWAY_MINUTES * 60_000);
    const settings = { anchorAwayMs, ...(this.settings as object) } as MonitorSettings;
    const closeUnusable = (anchorIds: readonly string[]) =>
      unlinkBannedAmong(this, anchorIds).then(() => closeUnusableAmong(this, anchorIds));
    this.monitor = new RoomMonitor({ mysql, outbox, broker, log, settings, closeUnusable });
  },

  async stopped() {
    await this.monitor?.stop();
  },
});
