import { setTimeout as pause } from "node:timers/promises";
import { DiscardPolicy, type JetStreamManager, RetentionPolicy, type StreamConfig, type StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { isUnderWay, letServersAgree, type Requests } from "./agreed-stream.ts";
import { consumerNotFound, findConsumer } from "./consumers.ts";
import {
  consumerConfig,
  consumerSettings,
  isNameOf,
  type StreamDefinition,
  streamConfig,
  type WantedStream,
} from "./definitions.ts";
import type { OtherServer } from "./other-server.ts";
import type { ConsumerRequest, Provisioning } from "./provisioning.ts";
import { explainNoRoom } from "./reserved-room.ts";
import {
  errorCode,
  findStream,
  identityOf,
  isSameStream,
  markOf,
  type StreamIdentity,
  streamNotFound,
} from "./streams.ts";

const otherSettings = 10058;
/** The description of a replicated stream whose servers agree on it, unless it has a mark. */
const agreed = "its servers agree";
/** The streams that are being made by this process, by the server's names. */
const making = new Map<string, Promise<void>>();
/** Those on which the servers did not agree when this process asked for it. */
const unfinished = new Set<string>();
/** The later mark is the greater string. */
const newMark = () => Date.now().toString(36);

/** Makes and changes streams and consumers, by a login that has the right to. */
export class Provisioner implements Provisioning {
  private readonly manager: JetStreamManager;
  private readonly nats: Requests | undefined;
  private readonly otherServer: Pick<OtherServer, "watch"> | undefined;

  /** `nats`: its connection, where streams have replicas. `otherServer` of that connection, where there are several. */
  constructor(manager: JetStreamManager, nats?: Requests, otherServer?: Pick<OtherServer, "watch">) {
    this.manager = manager;
    this.nats = nats;
    this.otherServer = otherServer;
  }

  /**
   * If many nodes do it at once, one of them sets the mark. Those that ask in this process share one attempt. Of a
   * replicated stream the servers agree then (agreed-stream.ts).
   */
  makeStream(wanted: WantedStream, again: boolean): Promise<void> {
    const underWay = making.get(wanted.name);
    if (underWay) return underWay;
    const made = this.ask(() => this.addStream(wanted, again)).finally(() => making.delete(wanted.name));
    making.set(wanted.name, made);
    return made;
  }

  /** Another server of the cluster is taken where this one leaves requests without an answer. */
  private ask<T>(work: () => Promise<T>): Promise<T> {
    return this.otherServer ? this.otherServer.watch("the provisioner's requests", work) : work();
  }

  private async addStream(wanted: WantedStream, again: boolean): Promise<void> {
    const mark = again ? { description: `made again: ${newMark()}` } : {};
    for (let tries = 1; ; tries++)
      try {
        await this.manager.streams.add({ ...wanted, ...mark });
        break;
      } catch (error) {
        // Another node has made it, with another mark.
        if (errorCode(error) === otherSettings) break;
        const mayBeUnderWay = isUnderWay(error) && tries < limits.jetstream.makeStreamTries;
        if (!mayBeUnderWay) return explainNoRoom(this.manager, wanted, error);
        await pause(limits.jetstream.makeStreamPauseMs);
      }
    if ((wanted.num_replicas ?? 1) > 1) await this.letAgree(wanted.name);
  }

  /**
   * Lets the servers agree on an existing stream with replicas, unless they have: then its description says so. One with
   * a mark was agreed on when it was made, or before it lost messages. Rejects while a replica is behind.
   */
  agree(stream: string): Promise<void> {
    return this.ask(async () => {
      const info = await findStream(this.manager, stream);
      if (!info || info.config.num_replicas === 1) return;
      const isDone = info.config.description === agreed || markOf(info) !== undefined;
      if (!isDone || unfinished.has(stream)) await this.letAgree(stream);
    });
  }

  private async letAgree(stream: string): Promise<void> {
    unfinished.add(stream);
    if (!this.nats)
      throw new Error(`stream ${stream} has replicas: its leader steps down by the provisioner's connection`);
    await letServersAgree(this.manager, this.nats, stream);
    const info = await this.manager.streams.info(stream);
    if (markOf(info) === undefined) await this.manager.streams.update(stream, { description: agreed });
    unfinished.delete(stream);
  }

  /**
   * Where a stream that refuses at its bound has too many messages for a lower bound, it keeps the old one with a
   * warning: the next start tries again.
   */
  async bringStreamToSettings(part: StreamDefinition, log?: Log): Promise<void> {
    const wanted = streamConfig(part);
    const info = await findStream(this.manager, wanted.name);
    if (!info) return;
    const settings = wanted.discard === DiscardPolicy.New ? withoutLoss(wanted, info, log) : wanted;
    if (!differs(settings, info.config)) return;
    await this.manager.streams
      .update(wanted.name, settings)
      .catch((error: unknown) => explainNoRoom(this.manager, wanted, error, info.config.max_bytes));
  }

  /**
   * Several nodes may do it at once, with different starts; the first one counts, since a start cannot be changed. If
   * the stream is made again meanwhile, it must not get a consumer under a name of the lost stream (streams.ts). Then
   * this rejects and leaves no consumer.
   */
  makeConsumer(request: ConsumerRequest): Promise<void> {
    return this.ask(() => this.addConsumer(request));
  }

  private async addConsumer({ consumer, name, stream: seen, start }: ConsumerRequest): Promise<void> {
    const { stream } = consumer;
    const former = await this.formerOf(consumer, name);
    let info = await findStream(this.manager, stream);
    if (!info || !isSameStream(identityOf(info), seen)) throw madeAgain(stream);
    for (const one of former) await this.remove(stream, one);
    // Until they were gone the former ones took messages, which this one passes.
    if (former.length > 0) info = (await findStream(this.manager, stream)) ?? info;
    let failure: unknown;
    const madeAt = info.config.retention === RetentionPolicy.Workqueue ? info.state.last_seq : undefined;
    await this.manager.consumers.add(stream, consumerConfig(name, consumer, start, madeAt)).catch((error: unknown) => {
      failure = error;
    });
    if (!(await this.isStill(stream, seen))) {
      if (failure === undefined) await this.remove(stream, name);
      throw madeAgain(stream);
    }
    if (await findConsumer(this.manager, stream, name)) return;
    throw failure ?? new Error(`consumer ${name} was deleted again`);
  }

  async bringConsumerToSettings(stream: string, name: string): Promise<void> {
    const info = await findConsumer(this.manager, stream, name);
    if (!info) return;
    const wanted = consumerSettings();
    const { ack_wait, max_ack_pending } = info.config;
    if (ack_wait === wanted.ack_wait && max_ack_pending === wanted.max_ack_pending) return;
    await this.manager.consumers.update(stream, name, wanted);
  }

  markLoss(stream: string, seen: StreamIdentity): Promise<void> {
    return this.ask(async () => {
      if (!(await this.isStill(stream, seen))) return;
      await this.manager.streams.update(stream, { description: `messages lost: ${newMark()}` });
    });
  }

  /** Whether a stream is still the one that was seen, with the same mark. Rejects where the server does not answer. */
  private async isStill(stream: string, seen: StreamIdentity): Promise<boolean> {
    const now = await findStream(this.manager, stream);
    return now !== undefined && isSameStream(identityOf(now), seen);
  }

  /** The consumers that a check made on a lost stream of the same name: a queue allows only one. */
  private async formerOf({ stream, durable }: ConsumerRequest["consumer"], now: string): Promise<string[]> {
    const former: string[] = [];
    for await (const { name } of this.manager.consumers.list(stream))
      if (isNameOf(durable, name) && name !== now) former.push(name);
    return former;
  }

  private async remove(stream: string, name: string): Promise<void> {
    await this.manager.consumers.delete(stream, name).catch((error: unknown) => {
      const code = errorCode(error);
      if (code !== consumerNotFound && code !== streamNotFound) throw error;
    });
  }
}

const madeAgain = (stream: string) => new Error(`stream ${stream} was just deleted, made again or marked`);

/**
 * The server enforces a lower bound by deleting the oldest messages, also where the stream refuses new ones at its
 * bound. So a lower bound is set only where at most half of it is used, since more messages may arrive until it is set.
 */
function withoutLoss(wanted: WantedStream, { config, state }: StreamInfo, log: Log | undefined): WantedStream {
  const used = { max_msgs: state.messages, max_bytes: state.bytes };
  const kept: Partial<StreamConfig> = {};
  for (const bound of ["max_msgs", "max_bytes"] as const) {
    const [to, from] = [wanted[bound] ?? -1, config[bound]];
    const isTighter = to > 0 && (from <= 0 || to < from);
    if (!isTighter || used[bound] <= to / 2) continue;
    kept[bound] = from;
    const about = { stream: wanted.name, bound, from, to, used: used[bound] };
    log?.warn(about, "a stream keeps its bound, since a lower one would delete messages: the next start tries again");
  }
  return { ...wanted, ...kept };
}

function differs(wanted: object, there: object): boolean {
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify((there as Record<string, unknown>)[key]),
  );
}
