import type { Service } from "moleculer";
import type { JetStreamManager, NatsConnection } from "nats";
import { connectNats } from "../broker/nats-connect.ts";
import { natsOptions } from "../broker/nats-options.ts";
import { registryEvents } from "../broker/service-nodes.ts";
import { natsPrefix, serviceUrl } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { serversOf } from "../config/server-urls.ts";
import { watchStreamClocks } from "./clock/watch-clock.ts";
import { Filling } from "./filling.ts";
import { addHealthCheck, Degraded, type HealthState } from "./health.mixin.ts";
import { CatchUp, type Missed } from "./jetstream/catch-up.ts";
import { catchUpRecovery } from "./jetstream/catch-up-recovery.ts";
import { Channel } from "./jetstream/channel.ts";
import { type ChannelDefinition, partitionsOfChannel } from "./jetstream/channel-definition.ts";
import { channelMetrics, keepHeld } from "./jetstream/channel-metrics.ts";
import { Conditions, noRoomCodes } from "./jetstream/conditions.ts";
import { deadLetterWriter } from "./jetstream/dead-letter-writer.ts";
import { consumersOf } from "./jetstream/definitions.ts";
import { ensureStreams } from "./jetstream/ensure-streams.ts";
import { keepShare } from "./jetstream/keep-share.ts";
import { Maintenance } from "./jetstream/maintenance.ts";
import { type OpenProvisioning, openProvisioning } from "./jetstream/open-provisioning.ts";
import { OtherServer } from "./jetstream/other-server.ts";
import { PartitionLeases } from "./jetstream/partition-lease.ts";
import { passDeadLetter } from "./jetstream/pass-dead-letter.ts";
import { type JetStreamPort, openPort, requireMaxPayload, type SignatureOf } from "./jetstream/port.ts";
import { PositionKeeper } from "./jetstream/position-keeper.ts";
import { Positions } from "./jetstream/positions.ts";
import type { PublisherObserver } from "./jetstream/publisher.ts";
import { Recoveries } from "./jetstream/recoveries.ts";
import { watchRefusals } from "./jetstream/refusals.ts";
import { openManager, untilLed } from "./jetstream/start-patience.ts";
import { countForged, expectForged, storeMetrics } from "./jetstream/store-metrics.ts";
import { deadLetters, type StreamDefinition, streamNames } from "./jetstream/streams.ts";
import { DatabaseLease } from "./mysql/database-lease.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import type { RedisLockState } from "./redis-lock.mixin.ts";

export type { ChannelDefinition } from "./jetstream/channel-definition.ts";
export type { ChannelMessage } from "./jetstream/message.ts";
export type { JetStreamPort, PublishOptions } from "./jetstream/port.ts";
export type { MessageSignatures } from "./jetstream/signatures.ts";
export type { MessageSplit } from "./jetstream/split.ts";
export type { StreamDefinition } from "./jetstream/streams.ts";

export interface JetStreamState {
  jetstream: JetStreamPort;
}

/** The maintenance and the recoveries of a service's streams. */
interface Kept {
  readonly maintenance: Maintenance;
  readonly recoveries: Recoveries | undefined;
}

interface Internals extends JetStreamState, Partial<RedisLockState & MysqlState> {
  jetstreamChannels: Channel[];
  /** Listeners to the registry. */
  jetstreamShares: (() => void)[];
  jetstreamStopHeld: () => void;
  jetstreamKept: Kept;
  /** Where there are several. */
  jetstreamOtherServer: OtherServer | undefined;
  jetstreamProvisioning: OpenProvisioning;
}

interface Opened {
  readonly connection: NatsConnection;
  readonly inboxPrefix: string | undefined;
  readonly manager: JetStreamManager;
  readonly signatureOf: SignatureOf | undefined;
}

function channelsOf({ schema }: Service): ChannelDefinition<Service>[] {
  return Object.values((schema as { channels?: Record<string, ChannelDefinition<Service>> }).channels ?? {});
}

/** Opens the maintenance of the streams, and the port through which the service publishes. */
function open(
  service: Service & Internals,
  { connection, inboxPrefix, manager, signatureOf }: Opened,
  definitions: readonly StreamDefinition[],
): { port: JetStreamPort; kept: Kept } {
  const log = service.logger;
  const conditions = new Conditions(Date.now, (isAnswered) =>
    service.jetstreamOtherServer?.[isAnswered ? "answered" : "unanswered"]("its streams"),
  );
  const filling = new Filling(log);
  const positions = service.mysql && new Positions(service.mysql);
  const keeper = positions && new PositionKeeper(manager, positions, log);
  const recoveries = positions && new Recoveries(positions, log);
  const maintenance = new Maintenance({
    ...{ manager, streams: [...definitions, deadLetters], conditions, filling, positions: keeper, recoveries, log },
    provisioning: service.jetstreamProvisioning.provisioning,
    ...storeMetrics(service),
  });
  const observer: PublisherObserver = {
    accepted: (stream) => conditions.accepted(stream),
    refused: (stream, code, reason) => {
      if (noRoomCodes.has(code)) conditions.refused(stream, reason);
    },
    noStream: () => maintenance.wake(),
  };
  const withDatabase = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error(`${service.name} stores positions of streams and has no mysqlMixin`);
    return part;
  };
  void watchRefusals(connection, ({ operation, subject }) => {
    if (conditions.notAllowed(operation, subject))
      log.error({ operation, subject }, "nats-server refuses this login: it lacks a right (services/stream-access.ts)");
  });
  // Its dead letters make room, so a full DEAD does not stop a service without signed channels.
  const spared = channelsOf(service).some(({ signatures }) => signatures) ? undefined : natsPrefix() + deadLetters.name;
  addHealthCheck(service, "jetstream", async () => {
    const reasons = [...conditions.reasons(spared), ...filling.nearlyFull(spared && `stream ${spared}`)];
    if (reasons.length > 0) throw new Error(reasons.join("; "));
    const full = filling.filling();
    if (full.length > 0) throw new Degraded(full.join("; "));
  });
  const port: JetStreamPort = {
    ...openPort(connection, manager, observer, inboxPrefix, signatureOf),
    logs: definitions.filter(({ kind }) => kind === "log"),
    held: () => service.jetstreamChannels.reduce((sum, channel) => sum + channel.held, 0),
    whoAcks: () => maintenance.whoAcks(),
    recover: (recovery) => withDatabase(recoveries).add(recovery),
    trackAllConsumers: () => withDatabase(keeper).trackAllConsumers(),
  };
  return { port, kept: { maintenance, recoveries } };
}

/**
 * A service's connection to JetStream and its streams. Missing streams are made, at the start and whenever they are
 * lost: by the provisioner, for which the start waits (jetstream/open-provisioning.ts). The durable channels
 * (`channels` of the schema) start last and stop first; a stop waits for the batches in flight. A service that reads a
 * log, or restores streams, needs mysqlMixin before this mixin, with `mixins/jetstream/migrations`. Adds the health
 * check `jetstream`. `signs` gives the signatures of what the service publishes, with the settings of its process.
 */
export function jetstreamMixin(definitions: readonly StreamDefinition[], signs?: () => SignatureOf) {
  return {
    async started(this: Service & Internals & HealthState) {
      const signatureOf = signs?.();
      const options = natsOptions(`${this.broker.nodeID}-${this.name}`, serviceUrl("NATS_URL", this.name));
      const connection = await connectNats(options);
      const inboxPrefix = "inboxPrefix" in options ? options.inboxPrefix : undefined;
      const manager = await openManager(connection);
      const positions = this.mysql && new Positions(this.mysql);
      let gone: string[];
      try {
        requireMaxPayload(connection);
        this.jetstreamProvisioning = await openProvisioning(this);
        const { provisioning, patiently } = this.jetstreamProvisioning;
        const wasThere = async (name: string) => (await positions?.knows(name)) ?? false;
        gone = await patiently(() =>
          ensureStreams(manager, [...definitions, deadLetters], { provisioning, wasThere, log: this.logger }),
        );
      } catch (error) {
        await connection.close();
        throw error;
      }
      this.jetstreamChannels = [];
      const isOneOfSeveral = serversOf(serviceUrl("NATS_URL", this.name)).length > 1;
      this.jetstreamOtherServer = isOneOfSeveral ? new OtherServer(connection, this.logger) : undefined;
      const { port, kept } = open(this, { connection, inboxPrefix, manager, signatureOf }, definitions);
      this.jetstream = port;
      this.jetstreamKept = kept;
      kept.maintenance.goneAtStart(gone);
      addHealthCheck(this, "nats", () => connection.flush(), { asksServer: true });
      watchStreamClocks(this, { connection, manager }, definitions.flatMap(streamNames));
      await kept.maintenance.start();
    },
    async stopped(this: Service & Partial<Internals>) {
      this.jetstreamProvisioning?.stop();
      await Promise.all([this.jetstreamKept?.maintenance.stop(), this.jetstreamKept?.recoveries?.stop()]);
      await this.jetstreamProvisioning?.close();
      await this.jetstream?.connection.drain();
    },
  };
}

function catchUpOf(service: Service & Internals, durable: string, missed: (missed: Missed) => Promise<void>): CatchUp {
  const { mysql, broker } = service;
  if (!mysql) throw new Error(`${durable} catches up from the books: its service needs mysqlMixin`);
  const name = `catch-up ${durable}`;
  const lease = new DatabaseLease({ mysql, name, holder: broker.nodeID, ms: limits.jetstream.catchUpLeaseMs });
  return new CatchUp({ durable, lease, missed, log: service.logger });
}

/**
 * The lifecycle of a schema's `channels`. defineService runs it after the service's own start and before its own stop.
 */
export const channelsLifecycle = {
  async started(this: Service & Internals) {
    this.jetstreamShares = [];
    const leases = this.locks && new PartitionLeases(this.locks);
    const countsOf = channelMetrics(this);
    const { jetstreamOtherServer: otherServer } = this;
    for (const definition of channelsOf(this)) {
      const isLeased = partitionsOfChannel(definition) > 0;
      if (isLeased && !this.locks)
        throw new Error(`${definition.durable} is pulled by one node at a time: its service needs redisLockMixin`);
      const signatures = definition.signatures?.call(this);
      if (signatures) expectForged(this, definition.durable);
      const writeDead = deadLetterWriter(this.jetstream.client, {
        ...(definition.split && { split: definition.split }),
        ...(signatures && { signatures }),
      });
      const counts = countsOf(definition.durable);
      const channel = new Channel(definition, {
        handle: (messages) => counts.handling(messages.length, () => definition.handler.call(this, messages)),
        publishDead: async (channel, message, index, reason, forged) => {
          await writeDead(channel, message, index, reason, forged);
          counts.dead();
          // What a forged message says is about others' business: nothing is told of it.
          if (forged) countForged(this, channel, forged);
          else await passDeadLetter(this, definition, message, index);
        },
        ...(signatures && { signatures }),
        consumerName: (durable) => this.jetstreamKept.maintenance.nameOf(durable),
        pulled: (durable) => otherServer?.answered(durable),
        pullFailed: (durable, error) => {
          this.jetstreamKept.maintenance.wake();
          otherServer?.failed(durable, error);
        },
        log: this.logger,
        lease: leases && isLeased ? (durable) => leases.acquire(durable) : undefined,
      });
      const { missed } = definition;
      const catchUp = missed && catchUpOf(this, definition.durable, (what) => missed.call(this, what));
      const consumers = consumersOf(definition).map((one) => ({ ...one, ...(catchUp && { catchUp }) }));
      await untilLed(() => this.jetstreamProvisioning.patiently(() => this.jetstreamKept.maintenance.add(consumers)));
      if (catchUp && this.mysql)
        this.jetstream.recover(catchUpRecovery(new Positions(this.mysql), definition, catchUp));
      channel.start(this.jetstream.manager, this.jetstream.client);
      this.jetstreamChannels.push(channel);
      if (channel.partitions === 0) await channel.pull([0]);
      this.jetstreamShares.push(keepShare(this, channel));
    }
    this.jetstreamStopHeld = keepHeld(this, this.jetstreamChannels);
  },
  async stopped(this: Service & Partial<Internals>) {
    this.jetstreamStopHeld?.();
    for (const take of this.jetstreamShares ?? [])
      for (const event of registryEvents) this.broker.localBus.off(event, take);
    await Promise.all((this.jetstreamChannels ?? []).map((channel) => channel.stop()));
  },
};
