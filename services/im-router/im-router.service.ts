import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type RedisState, redisMixin } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import { defineService } from "../define-service.ts";
import { routerBucketOf } from "../im-buckets.ts";
import { bizCodes } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import { makeToken } from "../im-tokens.ts";
import { limitsOf } from "../limits-of.ts";
import { notificationStream } from "../streams.ts";
import { Attendance } from "./attendance.ts";
import { chatActions } from "./chat-actions.ts";
import { roomChat } from "./chat-history.ts";
import { giftFrame } from "./frame-search.ts";
import { imRouterActions } from "./im-router.contract.ts";
import { NodeCalls } from "./node-calls.ts";
import { RoomNumbers } from "./room-numbers.ts";
import { RoomSender } from "./room-sender.ts";
import { ServerList } from "./server-list.ts";
import { showGifts } from "./show-gifts.ts";
import { UserNotifications } from "./user-notifications.ts";

interface State extends RedisState, JetStreamState {
  attendance: Attendance;
  nodes: NodeCalls;
  notifications: UserNotifications;
  rooms: RoomSender;
  servers: ServerList;
}

/** The router of a bucket: see broker/rendezvous-strategy.ts. */
const byBucket = { strategy: "Rendezvous", strategyOptions: { shardKey: "bucket" } } as const;

export default defineService<"im-router", State>({
  name: "im-router",
  contract: imRouterActions,
  mixins: [redisMixin, jetstreamMixin([notificationStream]), healthMixin],

  actions: {
    sendToUser: {
      async handler(ctx) {
        await this.notifications.send([ctx.params]);
        return null;
      },
    },

    sendToUsers: {
      async handler(ctx) {
        await this.notifications.send(ctx.params.notifications);
        return null;
      },
    },

    sendToRoom: {
      handler(ctx) {
        return call(ctx, "im-router.post", { ...ctx.params, bucket: routerBucketOf(ctx.params.roomId) });
      },
    },

    post: {
      ...byBucket,
      async handler(ctx) {
        const { roomId, senderId, msgId, bizCode, data } = ctx.params;
        await this.rooms.send((tick) => tick.addMessage(roomId, { userId: senderId, msgId, bizCode, data }));
        return null;
      },
    },

    roomGifts: {
      ...byBucket,
      async handler(ctx) {
        await showGifts(this.broker, this.rooms, ctx.params.rooms);
        return null;
      },
    },

    battleState: {
      async handler(ctx) {
        const { rooms, msgId, data } = ctx.params;
        const message = { senderId: "0", msgId, bizCode: bizCodes.battleState, data };
        await Promise.all(
          rooms.map((roomId) => call(ctx, "im-router.post", { bucket: routerBucketOf(roomId), roomId, ...message })),
        );
        return null;
      },
    },

    battleScores: {
      ...byBucket,
      handler(ctx) {
        return { tickEndsInMs: this.rooms.sendScores(ctx.params.battles) };
      },
    },

    ...chatActions,

    closeRoom: {
      async handler(ctx) {
        const { roomId } = ctx.params;
        // From here on nobody can enter. The members get the message, and then their connections are closed.
        await this.redis.set(imKeys.roomClosed(roomId), 1, "PX", limits.im.roomClosedMs).catch((error: Error) => {
          this.logger.warn(
            { roomId, err: error },
            "a closed room could not be marked: a user who enters now stays in it",
          );
        });
        const message = { senderId: "0", msgId: `room-closed:${roomId}`, bizCode: bizCodes.roomClosed, data: {} };
        await call(ctx, "im-router.post", { bucket: routerBucketOf(roomId), roomId, ...message });
        await this.nodes.emptyRoom(roomId);
        return null;
      },
    },

    attendance: {
      handler(ctx) {
        return this.attendance.of(ctx.params.rooms, ctx.params.certain);
      },
    },

    whereIs: {
      async handler(ctx) {
        const { node, room, since } = await this.redis.hgetall(imKeys.user(ctx.params.userId));
        return node ? [{ nodeId: node, roomId: Number(room), since: since ?? "" }] : [];
      },
    },

    giftFrame: {
      handler(ctx) {
        return giftFrame(this.redis, ctx.params.roomId, ctx.params.orderId);
      },
    },

    roomChat: {
      handler(ctx) {
        return roomChat(this.redis, ctx.params.roomId);
      },
    },

    tickets: {
      async handler(ctx) {
        const { userIds } = ctx.params;
        const [addresses, tokens] = await Promise.all([
          this.servers.pickAddresses(userIds.length),
          Promise.all(userIds.map((userId) => makeToken(this.redis, userId))),
        ]);
        return { tickets: addresses.map((address, i) => ({ address, token: tokens[i] as string })) };
      },
    },
  },

  started() {
    const { redis, jetstream, broker, logger: log } = this;
    const nodes = new NodeCalls(broker, log);
    this.nodes = nodes;
    this.notifications = new UserNotifications({ redis, jetstream, nodes, log });
    this.rooms = new RoomSender(new RoomNumbers(redis), nodes, log);
    this.servers = new ServerList(broker, nodes);
    const { newEpochMs } = limitsOf(limits.im, this);
    this.attendance = new Attendance({ redis, broker, nodes, log, newEpochMs });
  },

  async stopped() {
    await this.rooms?.flush();
  },
});
