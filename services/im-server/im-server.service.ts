import type { Service } from "moleculer";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type RedisState, redisMixin } from "../../mixins/redis.mixin.ts";
import { defineService } from "../define-service.ts";
import { closeCodes } from "../im-frames.ts";
import { makeToken } from "../im-tokens.ts";
import { noticeStream } from "../streams.ts";
import { admit } from "./admission.ts";
import { hear, hearEarly, hearPing, holdEarly } from "./conversation.ts";
import { ImNode, type ImSettings } from "./im-node.ts";
import { imServerActions } from "./im-server.contract.ts";
import type { ImSocket } from "./im-socket.ts";
import { type Listener, type ListenerEvents, openListener } from "./listener.ts";
import { closeForFault } from "./socket-fault.ts";
import { drain, startUpkeep } from "./upkeep.ts";

interface State extends RedisState, JetStreamState {
  node: ImNode;
  listener: Listener;
  upkeep: { stop(): Promise<void> };
}

const settings: ImSettings = {
  silenceMs: limits.im.silenceMs,
  presenceLeaseMs: limits.im.presenceLeaseMs,
  presenceRefreshMs: limits.im.presenceRefreshMs,
  watchFlushMs: limits.im.watchFlushMs,
  sendQueueBytes: limits.im.sendQueueBytes,
  connectionsPerNode: limits.im.connectionsPerNode,
  connectsPerSecond: limits.im.connectsPerSecond,
  connectsBurst: limits.im.connectsBurst,
  userConnectsPerMinute: limits.im.userConnectsPerMinute,
  userConnectsBurst: limits.im.userConnectsBurst,
  loginMs: limits.im.loginMs,
  pingAfterMs: limits.im.pingAfterMs,
  pongMs: limits.im.pongMs,
  closeGraceMs: limits.im.closeGraceMs,
  drainMs: limits.im.drainMs,
  drainPortion: limits.im.drainPortion,
  noticeResendMs: limits.im.noticeResendMs,
  noticesCheckMs: limits.im.noticesCheckMs,
};

function onSocket({ node, listener, logger }: Service & State, socket: ImSocket, query: URLSearchParams): void {
  socket.early = [];
  const late = setTimeout(
    () => socket.close(closeCodes.draining, "not let in in time, try again"),
    node.settings.loginMs,
  );
  admit(node, socket, query, listener.sockets())
    .then(() => hearEarly(socket))
    .catch((error: Error) => {
      logger.error({ err: error }, "a connection could not be served: it is cut");
      socket.terminate();
    })
    .finally(() => clearTimeout(late));
}

/** What this node does with its sockets. Those without a connection are on their way in or out. */
function listenerEvents(service: Service & State): ListenerEvents {
  return {
    opened: (socket, query) => onSocket(service, socket, query),
    said(socket, data, isBinary) {
      if (socket.early) holdEarly(socket, data, isBinary);
      else if (socket.connection) hear(service.node, socket.connection, data, isBinary);
    },
    pinged({ connection }, data) {
      if (connection) hearPing(connection, data);
    },
    ponged: ({ connection }) => connection?.answered(),
    // A close always follows; the error itself is the network's or the client's doing.
    failed: (_socket, error) => service.logger.debug({ err: error }, "socket error"),
    handlerThrew: (socket, event, error) => closeForFault(service.logger, socket, socket.connection, event, error),
    refused: (error) => service.logger.error({ err: error }, "a connection could not be taken: the client tries again"),
    closed({ connection }) {
      if (connection) service.node.leave(connection);
    },
  };
}

export default defineService<"im-server", State>({
  name: "im-server",
  contract: imServerActions,
  settings: { ...settings },
  mixins: [redisMixin, jetstreamMixin([noticeStream]), healthMixin],

  actions: {
    token: {
      async handler(ctx) {
        return { token: await makeToken(this.redis, ctx.params.userId) };
      },
    },

    deliver: {
      handler(ctx) {
        const { roster, rooms, notices } = this.node;
        let delivered = 0;
        for (const frame of ctx.params.frames) {
          if ("roomId" in frame) delivered += rooms.deliver(frame.roomId, frame);
          else delivered += notices.deliver(roster.ofUser(frame.userId), frame);
        }
        return { delivered };
      },
    },

    replace: {
      handler(ctx) {
        const { connectionIds } = ctx.params;
        return { closed: connectionIds.filter((connectionId) => this.node.closeReplaced(connectionId)).length };
      },
    },

    emptyRoom: {
      handler(ctx) {
        const members = [...this.node.roster.inRoom(ctx.params.roomId)];
        for (const member of members) member.close(closeCodes.roomClosed, "the room is closed");
        return { members: members.length };
      },
    },

    holding: {
      handler(ctx) {
        return { roomIds: this.node.roomsHolding(ctx.params.members) };
      },
    },

    status: {
      handler() {
        const { roster, draining } = this.node;
        const address = config().IM_PUBLIC_URL.replaceAll("{port}", String(this.listener.port));
        return { address, connections: roster.size, rooms: roster.rooms.length, draining };
      },
    },
  },

  async started() {
    const { redis, jetstream, broker, logger } = this;
    const node = new ImNode({
      redis,
      jetstream,
      broker,
      log: logger,
      settings: this.settings as unknown as ImSettings,
    });
    this.node = node;
    const { IM_HOST: host, IM_PORT: port, IM_ALLOWED_ORIGINS: allowedOrigins } = config();
    const { closeGraceMs, connectionsPerNode } = node.settings;
    const { headersTimeoutMs } = limits.http;
    // Those beyond `connectionsPerNode` are told to go elsewhere; beyond this nobody is even listened to.
    const connectionsMax = 2 * connectionsPerNode;
    const options = { host, port, closeGraceMs, headersTimeoutMs, connectionsMax, allowedOrigins };
    this.listener = await openListener(options, listenerEvents(this));
    this.upkeep = startUpkeep(node);
    logger.info({ host, port: this.listener.port }, "WebSockets are welcome");
  },

  async stopped() {
    if (!this.upkeep) return;
    this.node.draining = true;
    this.listener.refuse();
    await this.upkeep.stop();
    await drain(this.node);
    await this.listener.close(closeCodes.draining, "this node is going away");
  },
});
