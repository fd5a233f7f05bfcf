import type { ConsumerInfo, JetStreamManager, PubAck, StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import type { Conditions } from "./conditions.ts";
import { bringToSettings, findConsumer, makeConsumer } from "./consumers.ts";
import {
  type ConsumerDefinition,
  consumerName,
  partsOf,
  type Start,
  type StreamDefinition,
  streamConfig,
  type WantedStream,
} from "./definitions.ts";
import { lostWith, purgedBetween, type SeenConsumer, type SeenStream, seenConsumer, seenStream } from "./losses.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import type { Recoveries } from "./recoveries.ts";
import { findStream, makeStream, markOf } from "./streams.ts";

export interface MaintenanceParts {
  readonly manager: JetStreamManager;
  readonly streams: readonly StreamDefinition[];
  readonly conditions: Conditions;
  /** Of a service with a database. */
  readonly positions?: PositionKeeper;
  readonly recoveries?: Recoveries;
  readonly log: Record<"info" | "warn" | "error", (about: object, text: string) => void>;
  /** For the metrics: messages that are lost with a stream or a purge. */
  countLost(stream: string, messages: number): void;
}

interface Part {
  readonly wanted: WantedStream;
  readonly kind: StreamDefinition["kind"];
}

/**
 * Looks at a service's streams and consumers every second, or at once when a publication or a pull finds one missing, and
 * makes what is not there. Every node of every service does so; two that do the same at once do no harm.
 */
export class Maintenance {
  private readonly parts: MaintenanceParts;
  private readonly streams: readonly Part[];
  private readonly consumers: ConsumerDefinition[] = [];
  private readonly streamsSeen = new Map<string, SeenStream>();
  private readonly consumersSeen = new Map<string, SeenConsumer>();
  private readonly missingSince = new Map<string, number>();
  /** The server's names of the consumers, by durable. */
  private readonly names = new Map<string, string>();
  private loop: BackgroundLoop | undefined;
  private wokenAt = 0;

  constructor(parts: MaintenanceParts) {
    this.parts = parts;
    this.streams = parts.streams.flatMap((definition) =>
      partsOf(definition).map((part) => ({ wanted: streamConfig(part), kind: part.kind })),
    );
  }

  /** Resolves once everything was looked at for the first time. */
  async start(): Promise<void> {
    await this.round();
    this.loop = new BackgroundLoop({
      name: "streams",
      idleMs: limits.jetstream.lookEveryMs,
      errorBackoffMs: limits.jetstream.lookEveryMs,
      log: this.parts.log,
      round: () => this.round().then(() => false),
    });
  }

  /** Asks for a look at once; however often it is asked, the server is not asked more often than it bears. */
  wake(): void {
    const now = Date.now();
    if (now - this.wokenAt < limits.jetstream.wakeEveryMs) return;
    this.wokenAt = now;
    this.loop?.wake();
  }

  async stop(): Promise<void> {
    await this.loop?.stop();
  }

  /** Makes a channel's consumers where they are missing, and looks after them from now on. */
  async add(consumers: readonly ConsumerDefinition[]): Promise<void> {
    for (const consumer of consumers) {
      const info = await findStream(this.parts.manager, consumer.stream);
      if (!info) throw new Error(`${consumer.durable} has no stream ${consumer.stream}`);
      const there = await this.lookAtConsumer(consumer, info);
      if (there) await bringToSettings(this.parts.manager, there);
    }
    this.consumers.push(...consumers);
  }

  /** The server's name of a consumer that was added, as the last look found it. */
  nameOf(durable: string): string {
    return this.names.get(durable) ?? durable;
  }

  /**
   * What is published after this call was acked by the stream of which creation time: as the last look before it saw the
   * stream, or "" where it was another one.
   */
  whoAcks(): (ack: PubAck) => string {
    const before = new Map(this.streamsSeen);
    return ({ stream, seq, duplicate }) => {
      const seen = before.get(stream);
      return seen && (duplicate || seq > seen.lastSequence) ? seen.created : "";
    };
  }

  /** One look at everything. What fails does not keep the rest from being looked at. */
  private async round(): Promise<void> {
    const { conditions } = this.parts;
    try {
      const looks = await Promise.allSettled(this.streams.map((part) => this.lookAtPart(part)));
      await this.lookAtAccount();
      for (const look of looks) if (look.status === "rejected") throw look.reason;
      conditions.looked();
    } catch (error) {
      conditions.lookFailed(error);
      throw error;
    }
  }

  private async lookAtPart({ wanted, kind }: Part): Promise<void> {
    const info = await this.lookAtStream(wanted, kind);
    if (!info) return;
    const own = this.consumers.filter(({ stream }) => stream === wanted.name);
    for (const consumer of own) await this.lookAtConsumer(consumer, info);
    if (kind === "log") await this.parts.positions?.noteAllConsumers(info);
    await this.parts.positions?.noteSeen(info);
  }

  /** `undefined` where it is gone and not made again yet. */
  private async lookAtStream(wanted: WantedStream, kind: StreamDefinition["kind"]): Promise<StreamInfo | undefined> {
    const { manager, conditions, recoveries } = this.parts;
    const before = this.streamsSeen.get(wanted.name);
    const info =
      (await findStream(manager, wanted.name)) ??
      (await this.making(`stream ${wanted.name}`, before !== undefined, () =>
        makeStream(manager, wanted, before !== undefined),
      ));
    if (!info) return undefined;
    this.isThere(`stream ${wanted.name}`);
    if (before && before.created !== info.created) this.streamIsAnother(before, info, kind);
    this.streamsSeen.set(wanted.name, seenStream(info));
    conditions.bounds(wanted.name, boundReached(info));
    recoveries?.seen({ stream: wanted.name, created: info.created });
    return info;
  }

  /**
   * Reports something as missing until it is made. What was there before is left alone for a while first: `undefined`
   * until that is over.
   */
  private async making<T>(what: string, wasThere: boolean, make: () => Promise<T>): Promise<T | undefined> {
    const now = Date.now();
    const since = this.missingSince.get(what) ?? now;
    this.missingSince.set(what, since);
    this.parts.conditions.isMissing(what);
    if (wasThere && now - since < limits.jetstream.makeAgainAfterMs) return undefined;
    try {
      return await make();
    } catch (error) {
      this.parts.conditions.isMissing(what, `it cannot be made: ${(error as Error).message}`);
      throw error;
    }
  }

  private isThere(what: string): void {
    this.missingSince.delete(what);
    this.parts.conditions.isThere(what);
  }

  private streamIsAnother(before: SeenStream, info: StreamInfo, kind: StreamDefinition["kind"]): void {
    const stream = info.config.name;
    const own = this.consumers
      .filter((consumer) => consumer.stream === stream)
      .flatMap(({ durable }) => this.consumersSeen.get(durable) ?? []);
    const lost = lostWith(kind, before, own);
    const about = { stream, lost, lastSequence: before.lastSequence, created: before.created, madeAgain: info.created };
    this.report(stream, lost, about, "a stream is gone and was made again: what the books still know is put back");
  }

  private report(stream: string, lost: number, about: object, text: string): void {
    const { log, conditions, countLost } = this.parts;
    log.error(about, text);
    countLost(stream, lost);
    if (lost > 0) conditions.lost(`${lost} messages were lost with stream ${stream}: see the log`);
  }

  /** `undefined` where it is gone and not made again yet. */
  private async lookAtConsumer(consumer: ConsumerDefinition, stream: StreamInfo): Promise<ConsumerInfo | undefined> {
    const { manager, conditions, positions } = this.parts;
    const what = `consumer ${consumer.durable}`;
    const name = consumerName(consumer, markOf(stream));
    const found = await findConsumer(manager, consumer.stream, name);
    const wasThere = this.names.get(consumer.durable) === name;
    const info = found ?? (await this.making(what, wasThere, () => this.makeAgain(name, consumer, stream)));
    if (!info) return undefined;
    this.isThere(what);
    this.names.set(consumer.durable, name);
    const [before, now] = [this.consumersSeen.get(consumer.durable), seenConsumer(info)];
    this.consumersSeen.set(consumer.durable, now);
    if (consumer.kind === "queue" && before) this.lookForPurge(consumer, before, now);
    conditions.atWork(consumer.durable, now.waiting, doneBy(consumer, stream, info));
    if (consumer.kind === "log") await positions?.note(consumer.durable, stream, info.ack_floor.stream_seq);
    return info;
  }

  private async makeAgain(name: string, consumer: ConsumerDefinition, stream: StreamInfo): Promise<ConsumerInfo> {
    const { manager, log } = this.parts;
    const start = await this.startOf(consumer, stream);
    const info = await makeConsumer(manager, consumer, stream, start);
    const about = { consumer: name, stream: consumer.stream, start, waiting: info.num_pending };
    if (this.consumersSeen.has(consumer.durable)) log.error(about, "a consumer was gone: it is made again");
    else log.info(about, "a consumer is made");
    return info;
  }

  /** A queue begins at its first message, since what stands in it is not done; a log where its reader had come to. */
  private async startOf({ kind, durable }: ConsumerDefinition, stream: StreamInfo): Promise<Start> {
    if (kind === "queue") return "first";
    if (!this.parts.positions) throw new Error(`${durable} reads a log: its service needs mysqlMixin`);
    return this.parts.positions.startOf(durable, stream);
  }

  private lookForPurge({ stream }: ConsumerDefinition, before: SeenConsumer, now: SeenConsumer): void {
    const purged = purgedBetween(before, now);
    if (purged === 0) return;
    this.report(stream, purged, { stream, lost: purged }, "a queue was purged: what the books still know is put back");
    this.parts.recoveries?.again(stream);
  }

  private async lookAtAccount(): Promise<void> {
    const { manager, conditions } = this.parts;
    const { storage, limits: account } = await manager.getAccountInfo();
    const isFull = account.max_storage > 0 && storage >= account.max_storage;
    conditions.bounds("(all)", isFull ? `${storage} of ${account.max_storage} bytes are used` : undefined);
  }
}

/** A number that moves with each message that is done: of a queue what is gone from it, of a log what is acked in order. */
function doneBy({ kind }: ConsumerDefinition, { state }: StreamInfo, { ack_floor }: ConsumerInfo): number {
  return kind === "queue" ? state.last_seq - state.messages : ack_floor.stream_seq;
}

/** Which bound a stream has reached beyond which it refuses what is published. */
function boundReached({ config, state }: StreamInfo): string | undefined {
  if (config.discard !== "new") return undefined;
  if (config.max_msgs > 0 && state.messages >= config.max_msgs) return `it holds ${state.messages} messages`;
  if (config.max_bytes > 0 && state.bytes >= config.max_bytes) return `it holds ${state.bytes} bytes`;
  return undefined;
}
