import type { ConsumerInfo, PubAck, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import type { Filling } from "../filling.ts";
import { boundReached, doneBy, levelOf } from "./conditions.ts";
import { findConsumer } from "./consumers.ts";
import {
  type ConsumerDefinition,
  consumerName,
  deadLetters,
  logEnding,
  partsOf,
  type Start,
  type StreamDefinition,
  streamConfig,
  type WantedStream,
} from "./definitions.ts";
import { GapWatch } from "./gap-watch.ts";
import { type LossParts, LossWatch } from "./loss-watch.ts";
import { type SeenConsumer, seenConsumer } from "./losses.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { findStream, identityOf, markOf } from "./streams.ts";

export interface MaintenanceParts extends LossParts {
  readonly streams: readonly StreamDefinition[];
  readonly filling: Filling;
  readonly log: Log;
  /** For the metrics: a stream as it was found by a check, and the bytes that the account has stored. */
  measured(stream: StreamInfo): void;
  accountMeasured(storedBytes: number): void;
}

interface Part {
  readonly wanted: WantedStream;
  readonly kind: StreamDefinition["kind"];
  /** The dead letters: nobody consumes them, and they are checked only every few seconds. */
  readonly isRare: boolean;
}

/**
 * Checks a service's streams and consumers every second, and at once when a publication or a pull finds one missing.
 * Has what is missing made (provisioning.ts). Every node of every service does so; several may do it at once.
 */
export class Maintenance {
  private readonly parts: MaintenanceParts;
  private readonly streams: readonly Part[];
  private readonly consumers: ConsumerDefinition[] = [];
  private readonly losses: LossWatch;
  private readonly gaps: GapWatch | undefined;
  private readonly consumersSeen = new Map<string, SeenConsumer>();
  private readonly missingSince = new Map<string, number>();
  /** The server's names of the consumers, by durable. */
  private readonly names = new Map<string, string>();
  private loop: BackgroundLoop | undefined;
  private wokenAt = 0;
  /** The time of the next check of the dead letters and the account. */
  private rareCheckAt = 0;

  constructor(parts: MaintenanceParts) {
    this.parts = parts;
    this.losses = new LossWatch(parts);
    const { positions, log, countLost } = parts;
    this.gaps = positions && new GapWatch({ positions, log, countLost });
    this.streams = parts.streams.flatMap((definition) =>
      partsOf(definition).map((part) => ({
        ...{ wanted: streamConfig(part), kind: part.kind, isRare: part.name === deadLetters.name },
      })),
    );
  }

  /** Resolves after the first check of everything. */
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

  /** Requests a check at once. The rate of checks is bounded, however often it is called. */
  wake(): void {
    const now = Date.now();
    if (now - this.wokenAt < limits.jetstream.wakeEveryMs) return;
    this.wokenAt = now;
    this.rareCheckAt = 0;
    this.loop?.wake();
  }

  async stop(): Promise<void> {
    await this.loop?.stop();
    await this.gaps?.stop();
  }

  /** Creates a channel's missing consumers, and checks them from now on. */
  async add(consumers: readonly ConsumerDefinition[]): Promise<void> {
    for (const consumer of consumers) {
      const info = await findStream(this.parts.manager, consumer.stream);
      if (!info) throw new Error(`${consumer.durable} has no stream ${consumer.stream}`);
      const there = await this.checkConsumer(consumer, info);
      if (there) await this.parts.provisioning.bringConsumerToSettings(consumer.stream, there.name);
    }
    this.consumers.push(...consumers);
  }

  /** The server's name of a consumer that was added, as of the last check. */
  nameOf(durable: string): string {
    return this.names.get(durable) ?? durable;
  }

  /** As `LossWatch.goneAtStart`. */
  goneAtStart(streams: readonly string[]): void {
    this.losses.goneAtStart(streams);
  }

  /** As `SeenStreams.whoAcks`. */
  whoAcks(): (ack: PubAck) => string {
    return this.losses.seen.whoAcks();
  }

  /** Checks everything once. A failure of one check does not prevent the others. */
  private async round(): Promise<void> {
    const { conditions } = this.parts;
    const isFull = this.missingSince.size > 0 || Date.now() >= this.rareCheckAt;
    const parts = isFull ? this.streams : this.streams.filter(({ isRare }) => !isRare);
    try {
      const checks = await Promise.allSettled(parts.map((part) => this.checkPart(part)));
      if (isFull) await this.checkAccount();
      if (isFull) this.rareCheckAt = Date.now() + limits.jetstream.lookRarelyMs;
      for (const check of checks) if (check.status === "rejected") throw check.reason;
      conditions.looked();
    } catch (error) {
      conditions.lookFailed(error);
      throw error;
    }
  }

  private async checkPart({ wanted, kind, isRare }: Part): Promise<void> {
    const info = await this.checkStream(wanted, kind);
    if (!info) return;
    this.parts.measured(info);
    this.parts.filling.see(`stream ${wanted.name}`, levelOf(info));
    const own = this.consumers.filter(({ stream }) => stream === wanted.name);
    for (const consumer of own) await this.checkConsumer(consumer, info);
    if (kind === "log" && !isRare) await this.parts.positions?.noteAllConsumers(info);
    await this.parts.positions?.noteSeen(info);
  }

  /** `undefined` while the stream is missing. */
  private async checkStream(wanted: WantedStream, kind: StreamDefinition["kind"]): Promise<StreamInfo | undefined> {
    const { manager, conditions } = this.parts;
    const before = this.losses.seen.get(wanted.name);
    const info =
      (await findStream(manager, wanted.name)) ??
      (await this.making(`stream ${wanted.name}`, before !== undefined, () =>
        this.makeStream(wanted, before !== undefined),
      ));
    if (!info) return undefined;
    this.isThere(`stream ${wanted.name}`);
    conditions.bounds(wanted.name, boundReached(info));
    return this.losses.look(info, kind, () => this.ownOf(wanted.name));
  }

  /**
   * Reports something as missing until it is created. What existed before is created again only after a pause;
   * `undefined` until then.
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
      this.parts.conditions.isMissing(what, `it cannot be created: ${(error as Error).message}`);
      throw error;
    }
  }

  private ownOf(stream: string): SeenConsumer[] {
    const own = this.consumers.filter((consumer) => consumer.stream === stream);
    return own.flatMap(({ durable }) => this.consumersSeen.get(durable) ?? []);
  }

  private isThere(what: string): void {
    this.missingSince.delete(what);
    this.parts.conditions.isThere(what);
  }

  /** `undefined` while the consumer is missing. */
  private async checkConsumer(consumer: ConsumerDefinition, stream: StreamInfo): Promise<ConsumerInfo | undefined> {
    const { manager, conditions } = this.parts;
    const what = `consumer ${consumer.durable}`;
    const name = consumerName(consumer, await this.endingOf(consumer, stream));
    const found = await findConsumer(manager, consumer.stream, name);
    const wasThere = this.names.get(consumer.durable) === name;
    const info = found ?? (await this.making(what, wasThere, () => this.makeAgain(name, consumer, stream)));
    if (!info) return undefined;
    this.isThere(what);
    this.names.set(consumer.durable, name);
    const [before, now] = [this.consumersSeen.get(consumer.durable), seenConsumer(info)];
    if (consumer.kind === "queue" && before && (await this.losses.lookForPurge(stream, before, now))) this.wake();
    this.consumersSeen.set(consumer.durable, now);
    if (consumer.kind === "queue") await this.losses.lookForPassed(consumer.durable, stream, info);
    conditions.atWork(consumer.durable, now.waiting, doneBy(consumer.kind, stream, info));
    if (consumer.kind === "log") await this.gaps?.look(consumer, stream, info);
    return info;
  }

  private async makeAgain(name: string, consumer: ConsumerDefinition, stream: StreamInfo): Promise<ConsumerInfo> {
    const { manager, provisioning, log } = this.parts;
    const start = await this.startOf(consumer, stream);
    await provisioning.makeConsumer({ consumer, name, stream: identityOf(stream), start });
    const info = await findConsumer(manager, consumer.stream, name);
    if (!info) throw new Error(`consumer ${name} was deleted again`);
    const about = { consumer: name, stream: consumer.stream, start, waiting: info.num_pending };
    if (this.consumersSeen.has(consumer.durable)) log.error(about, "a consumer was lost: it is made again");
    else log.info(about, "a consumer is made");
    return info;
  }

  /** A queue begins at its first message, since its messages are not handled yet; a log at its reader's position. */
  private async startOf({ kind, durable }: ConsumerDefinition, stream: StreamInfo): Promise<Start> {
    if (kind === "queue") return "first";
    return this.positionsFor(durable).startOf(durable, stream);
  }

  private async makeStream(wanted: WantedStream, again: boolean): Promise<StreamInfo> {
    const { manager, provisioning } = this.parts;
    await provisioning.makeStream(wanted, again);
    return manager.streams.info(wanted.name);
  }

  /** The ending of a consumer's name on this stream: see streams.ts. */
  private async endingOf({ kind, durable }: ConsumerDefinition, stream: StreamInfo): Promise<string | undefined> {
    if (kind === "queue") return markOf(stream);
    return logEnding(await this.positionsFor(durable).generationOf(stream));
  }

  private positionsFor(durable: string): PositionKeeper {
    const { positions } = this.parts;
    if (!positions) throw new Error(`${durable} reads a log: its service needs mysqlMixin`);
    return positions;
  }

  private async checkAccount(): Promise<void> {
    const { manager, conditions, filling, accountMeasured } = this.parts;
    const { storage, limits: account } = await manager.getAccountInfo();
    const text = `${storage} of ${account.max_storage} bytes`;
    const isBounded = account.max_storage > 0;
    accountMeasured(storage);
    filling.see("the account's store", isBounded ? { share: storage / account.max_storage, text } : undefined);
    conditions.bounds("(all)", isBounded && storage >= account.max_storage ? `${text} are used` : undefined);
  }
}
