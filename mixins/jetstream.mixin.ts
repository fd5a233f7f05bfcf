import type { Service } from "moleculer";
import {
  connect,
  ErrorCode,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type MsgHdrs,
  type NatsConnection,
  type PubAck,
} from "nats";
import { fail } from "../broker/failure.ts";
import { natsOptions } from "../broker/nats-options.ts";
import { isMessageFault } from "../broker/outages.ts";
import { messageOf, shown } from "../broker/unknown-values.ts";
import { natsPrefix } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { Channel, type ChannelDefinition, type Lease } from "./jetstream/channel.ts";
import { partitionsOf } from "./jetstream/partitions.ts";
import { NotAcked, Publisher } from "./jetstream/publisher.ts";
import { deadLetters, ensureStreams, type StreamDefinition } from "./jetstream/streams.ts";
import type { RedisLockState } from "./redis-lock.mixin.ts";

export type { ChannelDefinition } from "./jetstream/channel.ts";
export type { ChannelMessage } from "./jetstream/message.ts";
export type { StreamDefinition } from "./jetstream/streams.ts";

export interface PublishOptions {
  /** The business id: JetStream drops a repeat within its window of two minutes; consumers must do the rest. */
  msgId: string;
  requestId?: string | null;
}

export interface JetStreamPort {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  /**
   * Publishes JSON and waits for the server's ack; the message is then in the stream's file (synced to disk at the
   * server's sync interval). Tries again with the same message id. Fails: `unavailable`; where `mayHaveHappened`
   * (broker/failure.ts) says so the message may be in the stream all the same, so a repeat must carry the same id.
   * `messageTooLarge`, at once, where it can never pass. @throws NatsError where the subject is none.
   */
  publish(subject: string, payload: unknown, options: PublishOptions): Promise<PubAck>;
  /** Messages this service holds in its channels, waiting and in flight. */
  held(): number;
}

export interface JetStreamState {
  jetstream: JetStreamPort;
}

const encoder = new TextEncoder();

function open(connection: NatsConnection, manager: JetStreamManager, channels: () => Channel[]): JetStreamPort {
  const client = connection.jetstream({ timeout: limits.jetstream.publishTimeoutMs });
  const publisher = new Publisher(connection);
  return {
    connection,
    manager,
    client,
    held: () => channels().reduce((sum, channel) => sum + channel.held, 0),
    async publish(subject, payload, { msgId, requestId }) {
      const body = encoder.encode(JSON.stringify(payload));
      const head = headers();
      head.set("Nats-Msg-Id", msgId);
      if (requestId) head.set("Request-Id", requestId);
      // An earlier attempt may have been stored, although this one is refused.
      let mayHaveHappened = false;
      for (let attempt = 1; ; attempt++) {
        try {
          return await publisher.publish(natsPrefix() + subject, body, head);
        } catch (error) {
          if (isTooLarge(error))
            throw fail("messageTooLarge", { subject, msgId, bytes: body.length, most: connection.info?.max_payload });
          // A retry cannot succeed: the subject or the message is invalid.
          if (isMessageFault(error)) throw error;
          mayHaveHappened ||= error instanceof NotAcked && error.mayHaveHappened;
          if (attempt >= limits.jetstream.publishAttempts || connection.isClosed())
            throw fail("unavailable", { subject, msgId, cause: messageOf(error), mayHaveHappened });
          await new Promise((resolve) => setTimeout(resolve, limits.jetstream.publishBackoffMs * attempt));
        }
      }
    },
  };
}

/** Copies a header. An invalid one, from a foreign publisher, must not keep its message out of the dead letters. */
function copyHeader(head: MsgHdrs, key: string, value: string): void {
  try {
    head.append(key, value);
  } catch (error) {
    head.append("Dead-Header", shown(messageOf(error), 100).replaceAll(/[\r\n]+/g, " "));
  }
}

/** The client refuses it at once: the message is larger than the server said it takes. */
function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === ErrorCode.MaxPayloadExceeded;
}

/**
 * @throws Error where the server takes less than this system sends: only the largest batches would fail, under load.
 */
function requireMaxPayload(connection: NatsConnection): void {
  const { max_payload: most = 0 } = connection.info ?? {};
  if (most >= limits.bus.maxPayloadBytes) return;
  throw new Error(
    `nats-server takes messages of ${most} bytes: max_payload must be ${limits.bus.maxPayloadBytes} or more`,
  );
}

/**
 * Copies a message to the dead letters. One that is too large with the headers that the copy has beside its own (nothing
 * of this system is) is cut, and says so: it can be looked at, and not replayed.
 */
function deadLetterWriter(port: JetStreamPort) {
  return async (channel: string, message: JsMsg, reason: string) => {
    const head = headers();
    for (const [key, values] of message.headers ?? []) for (const value of values) copyHeader(head, key, value);
    head.delete("Nats-Msg-Id");
    head.set("Dead-Reason", reason.replaceAll(/[\r\n]+/g, " ").slice(0, 500));
    head.set("Dead-Subject", message.subject);
    head.set("Dead-Stream", message.info.stream);
    head.set("Dead-Sequence", String(message.seq));
    const msgID = `dead:${message.info.stream}:${message.seq}`;
    const subject = `${natsPrefix()}dead.${channel}`;
    await port.client.publish(subject, message.data, { msgID, headers: head }).catch((error: unknown) => {
      if (!isTooLarge(error)) throw error;
      const cut = headers();
      for (const [key, values] of head) if (key.startsWith("Dead-")) for (const value of values) cut.append(key, value);
      cut.set("Dead-Cut", String(message.data.length));
      const data = message.data.subarray(0, limits.jetstream.deadLetterCutBytes);
      return port.client.publish(subject, data, { msgID, headers: cut });
    });
  };
}

interface Internals extends JetStreamState, Partial<RedisLockState> {
  jetstreamChannels: Channel[];
  /** What listens to the registry for the partitioned channels. */
  jetstreamShares: (() => void)[];
}

/**
 * A service's connection to JetStream and its streams. The durable channels (`channels` of the schema) start after
 * everything else of the service and stop first, letting their batches in flight finish.
 */
export function jetstreamMixin(streams: readonly StreamDefinition[]) {
  return {
    async started(this: Service & Internals & HealthState) {
      const connection = await connect(natsOptions(`${this.broker.nodeID}-${this.name}`));
      const manager = await connection.jetstreamManager({ timeout: 5_000 });
      try {
        requireMaxPayload(connection);
        await ensureStreams(manager, [...streams, deadLetters], (text) => this.logger.info(text));
      } catch (error) {
        await connection.close();
        throw error;
      }
      this.jetstreamChannels = [];
      this.jetstream = open(connection, manager, () => this.jetstreamChannels);
      addHealthCheck(this, "nats", () => connection.flush());
    },
    async stopped(this: Service & Partial<Internals>) {
      await this.jetstream?.connection.drain();
    },
  };
}

/** Nodes that offer the service, as this node's registry sees them now. */
function nodesOf(service: Service): string[] {
  const list = service.broker.registry.getServiceList({ onlyAvailable: true }) as { name: string; nodeID: string }[];
  return list.filter(({ name }) => name === service.name).map(({ nodeID }) => nodeID);
}

/**
 * Pulls this node's share of the partitions, and again whenever nodes come and go. Before the service is registered
 * nothing is pulled: the others could not know that they have to leave a share to it.
 */
function keepShare(service: Service & Internals, channel: Channel): void {
  const take = () => {
    const nodes = nodesOf(service);
    if (!nodes.includes(service.broker.nodeID)) return;
    const share = partitionsOf(service.broker.nodeID, nodes, channel.partitions);
    channel.pull(share).catch((error) => service.logger.error({ err: error }, "partitions could not be changed"));
  };
  service.jetstreamShares.push(take);
  for (const event of registryEvents) service.broker.localBus.on(event, take);
  take();
}

/** Partitions need redisLockMixin. While Redis is away every node that wants a lease has it. */
async function leaseOf(service: Service & Internals, durable: string): Promise<Lease | undefined> {
  const key = `partition:${durable}`;
  const hold = await service.locks?.acquire([key]);
  return hold?.acquired.has(key) ? hold : undefined;
}

const registryEvents = ["$services.changed", "$node.disconnected"];

/** The lifecycle of a schema's `channels`; defineService puts it after the service's own start and before its own stop. */
export const channelsLifecycle = {
  async started(this: Service & Internals) {
    const definitions =
      (this.schema as unknown as { channels?: Record<string, ChannelDefinition<Service>> }).channels ?? {};
    this.jetstreamShares = [];
    for (const definition of Object.values(definitions)) {
      if (definition.stream.partitions && !this.locks)
        throw new Error(`${this.name} has a channel with partitions and no redisLockMixin`);
      const channel = new Channel(definition, {
        handle: (messages, release) => definition.handler.call(this, messages, release),
        publishDead: deadLetterWriter(this.jetstream),
        log: this.logger as never,
        lease: definition.stream.partitions ? (durable) => leaseOf(this, durable) : undefined,
      });
      await channel.start(this.jetstream.manager, this.jetstream.client);
      this.jetstreamChannels.push(channel);
      if (channel.partitions > 0) keepShare(this, channel);
      else await channel.pull([0]);
    }
  },
  async stopped(this: Service & Partial<Internals>) {
    for (const take of this.jetstreamShares ?? [])
      for (const event of registryEvents) this.broker.localBus.off(event, take);
    await Promise.all((this.jetstreamChannels ?? []).map((channel) => channel.stop()));
  },
};
