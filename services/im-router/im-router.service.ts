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
import { noticeStream } from "../streams.ts";
import { Attendance } from "./attendance.ts";
import { imRouterActions } from "./im-router.contract.ts";
import { NodeCalls } from "./node-calls.ts";
import { RoomNumbers } from "./room-numbers.ts";
import { RoomSender } from "./room-sender.ts";
import { ServerList } from "./server-list.ts";
import { UserNotices } from "./user-notices.ts";

interface State extends RedisState, JetStreamState {
  attendance: Attendance;
  nodes: NodeCalls;
  notices: UserNotices;
  rooms: RoomSender;
  servers: ServerList;
}

/** The router of a bucket: see broker/rendezvous-strategy.ts. */
const byBucket = { strategy: "Rendezvous", strategyOptions: { shardKey: "bucket" } } as const;

export default defineService<"im-router", State>({
  name: "im-router",
  contract: imRouterActions,
  /** For tests, which have less time. */
  settings: { newEpochMs: limits.im.newEpochMs },
  mixins: [redisMixin, jetstreamMixin([noticeStream]), healthMixin],

  actions: {
    sendToUser: {
      async handler(ctx) {
        return { delivered: await this.notices.send([ctx.params]) };
      },
    },

    sendToUsers: {
      async handler(ctx) {
        return { delivered: await this.notices.send(ctx.params.notices) };
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
        await this.rooms.send((tick) => ctx.params.rooms.map((room) => tick.addGifts(room)));
        return null;
      },
    },

    closeRoom: {
      async handler(ctx) {
        const { roomId } = ctx.params;
        // From here on nobody comes in, so whoever is in is told and let go.
        await this.redis.set(imKeys.roomClosed(roomId), 1, "PX", limits.im.roomClosedMs).catch((error: Error) => {
          this.logger.warn({ roomId, err: error }, "the closed room is not marked: a late-comer may sit in it alone");
        });
        const notice = { senderId: "0", msgId: `room-closed:${roomId}`, bizCode: bizCodes.roomClosed, data: {} };
        await call(ctx, "im-router.post", { bucket: routerBucketOf(roomId), roomId, ...notice });
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

    pickServer: {
      async handler() {
        return { address: await this.servers.pickAddress() };
      },
    },

    ticket: {
      async handler(ctx) {
        const { userId } = ctx.params;
        const [address, token] = await Promise.all([this.servers.pickAddress(), makeToken(this.redis, userId)]);
        return { address, token };
      },
    },
  },

  started() {
    this.nodes = new NodeCalls(this.broker, this.logger);
    this.notices = new UserNotices({
      redis: this.redis,
      jetstream: this.jetstream,
      nodes: this.nodes,
      log: this.logger,
    });
    this.rooms = new RoomSender(new RoomNumbers(this.redis), this.nodes, this.logger);
    this.servers = new ServerList(this.broker, this.nodes);
    const { redis, broker, nodes, logger: log } = this;
    const { newEpochMs } = this.settings as unknown as { newEpochMs: number };
    this.attendance = new Attendance({ redis, broker, nodes, log, newEpochMs });
  },

  async stopped() {
    await this.rooms?.flush();
  },
});
