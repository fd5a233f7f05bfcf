import type { Service } from "moleculer";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type RedisState, redisMixin } from "../../mixins/redis.mixin.ts";
import { defineService } from "../define-service.ts";
import { imServerSettings, requireSettings } from "../door-settings.ts";
import { closeCodes } from "../im-frames.ts";
import { limitsOf } from "../limits-of.ts";
import { type RestrictionsState, restrictionsMixin } from "../restrictions.mixin.ts";
import { notificationStream } from "../streams.ts";
import { admit, type Newcomer } from "./admission.ts";
import { holdEarly, receive, receiveEarly, receivePing } from "./conversation.ts";
import { drain } from "./drain.ts";
import { ImNode } from "./im-node.ts";
import { imServerActions } from "./im-server.contract.ts";
import type { ImSocket } from "./im-socket.ts";
import { type Listener, type ListenerHandlers, openListener } from "./listener.ts";
import { startMaintenance } from "./maintenance.ts";
import { deliverToRoom } from "./room-delivery.ts";
import { closeForFault } from "./socket-fault.ts";

interface State extends RedisState, JetStreamState, RestrictionsState {
  node: ImNode;
  listener: Listener;
  maintenance: { stop(): Promise<void> };
}

function onSocket({ node, listener, logger }: Service & State, socket: ImSocket, newcomer: Newcomer): void {
  socket.early = [];
  const late = setTimeout(
    () => socket.close(closeCodes.draining, "not admitted in time, try again"),
    node.limits.loginMs,
  );
  admit(node, socket, newcomer, listener.sockets())
    .then(() => receiveEarly(socket))
    .catch((error: Error) => {
      logger.error({ err: error }, "a connection could not be served: it is cut");
      socket.terminate();
    })
    .finally(() => clearTimeout(late));
}

/** The handlers of this node's sockets. A socket without a connection is being admitted or closed. */
function listenerHandlers(service: Service & State): ListenerHandlers {
  return {
    open: (socket, query, address) => onSocket(service, socket, { query, address }),
    message(socket, data, isBinary) {
      if (socket.early) holdEarly(socket, data, isBinary);
      else if (socket.connection) receive(service.node, socket.connection, data, isBinary);
    },
    ping({ connection }, data) {
      if (connection) receivePing(connection, data);
    },
    pong: ({ connection }) => connection?.receivePong(),
    // A close always follows; the error itself comes from the network or the client.
    error: (_socket, error) => service.logger.debug({ err: error }, "socket error"),
    handlerThrew: (socket, event, error) => closeForFault(service.logger, socket, socket.connection, event, error),
    acceptFailed: (error) => service.logger.error({ err: error }, "a connection was not accepted: the client retries"),
    close({ connection }, code) {
      service.node.metrics.countClosed(code);
      if (connection) service.node.leave(connection);
    },
  };
}

export default defineService<"im-server", State>({
  name: "im-server",
  contract: imServerActions,
  mixins: [redisMixin, jetstreamMixin([notificationStream]), restrictionsMixin, healthMixin],

  actions: {
    deliver: {
      handler(ctx) {
        const { connections, notifications } = this.node;
        for (const frame of ctx.params.frames) {
          if ("roomId" in frame) deliverToRoom(this.node, frame);
          else notifications.deliver(connections.ofUser(frame.userId), frame);
        }
        return null;
      },
    },

    replace: {
      handler(ctx) {
        for (const connectionId of ctx.params.connectionIds) this.node.closeReplaced(connectionId);
        return null;
      },
    },

    emptyRoom: {
      handler(ctx) {
        for (const member of [...this.node.connections.inRoom(ctx.params.roomId)])
          member.close(closeCodes.roomClosed, "the room is closed");
        return null;
      },
    },

    holding: {
      handler(ctx) {
        return { roomIds: this.node.roomsHolding(ctx.params.members) };
      },
    },

    status: {
      handler() {
        const { connections, draining } = this.node;
        const address = config().IM_PUBLIC_URL.replaceAll("{port}", String(this.listener.port));
        return { address, connections: connections.size, rooms: connections.rooms.length, draining };
      },
    },
  },

  created() {
    requireSettings(imServerSettings);
  },

  async started() {
    const { redis, jetstream, broker, logger, restrictions } = this;
    const { requireRestrictions } = this;
    const own = { limits: limitsOf(limits.im, this), restrictions, requireRestrictions };
    this.node = new ImNode({ redis, jetstream, broker, log: logger, ...own });
    restrictions.onBan = (userId, roomId) => this.node.putOut(userId, roomId);
    const { IM_HOST: host, IM_PORT: port, IM_ALLOWED_ORIGINS: allowedOrigins, TRUST_PROXY: proxies } = config();
    const { closeGraceMs, connectionsPerNode } = this.node.limits;
    const { headersTimeoutMs } = limits.http;
    // Sockets beyond `connectionsPerNode` are closed with 4503; those beyond this are not even accepted.
    const connectionsMax = 2 * connectionsPerNode;
    const options = { host, port, closeGraceMs, headersTimeoutMs, connectionsMax, allowedOrigins, proxies };
    this.listener = await openListener(options, listenerHandlers(this));
    this.maintenance = startMaintenance(this.node);
    this.node.metrics.start(this.node);
    logger.info({ host, port: this.listener.port }, "listening for WebSockets");
  },

  async stopped() {
    if (!this.maintenance) return;
    this.node.metrics.stop();
    this.node.draining = true;
    this.listener.refuse();
    this.node.battles.stop();
    await this.maintenance.stop();
    await drain(this.node);
    await this.listener.close(closeCodes.draining, "this node is going away");
  },
});
