import type { ConsumerConfig, ConsumerInfo, DeliverPolicy, JetStreamManager, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { letServersAgree, type Requests } from "../../mixins/jetstream/agreed-stream.ts";
import { streamConfig, type WantedStream } from "../../mixins/jetstream/definitions.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { mirrorSubjects } from "../event-readers.ts";
import { eventStream } from "../streams.ts";

/** The mirror as of the last look. */
export interface MirrorState {
  /** Events that it does not have yet. */
  readonly behind: number;
  /** The durable consumers of readers. */
  readonly consumers: number;
  readonly problem: string | undefined;
}

/** What the mirror needs: nothing, a change of its bounds, or to be made (again), with the reason. */
type Need = "none" | "change" | "missing" | "other stream" | "ahead" | "stands still";

/** How far the mirror was when it last moved, by the clock of this process, ms. */
interface Progress {
  readonly created: string;
  readonly seq: number;
  readonly at: number;
}

interface MirrorParts {
  /** The connection of `manager`: the servers agree on a mirror that is made with it (decision 0092). */
  readonly nats?: Requests;
  readonly now?: () => number;
  readonly mayChange?: () => boolean;
}

/** The mirror of one creation of EVENTS, which its description names, since a mirror continues by sequence alone. */
export function mirrorConfig({ created }: Pick<StreamInfo, "created">): WantedStream {
  const { stream, source, copy } = mirrorSubjects(config().NAMESPACE);
  const { name, retention, storage, num_replicas, max_age, max_msgs, max_bytes, max_msgs_per_subject } =
    streamConfig(eventStream);
  return {
    ...{ name, retention, storage, num_replicas, max_age, max_msgs, max_bytes, max_msgs_per_subject },
    max_consumers: limits.jetstream.readerConsumers,
    description: `mirror of ${stream} of ${created}`,
    mirror: { name: stream, external: { api: source, deliver: copy } },
    deny_delete: true,
    deny_purge: true,
  } as WantedStream;
}

const all = "all" as DeliverPolicy.All;
const fromSequence = "by_start_sequence" as DeliverPolicy.StartSequence;

const changeable = ["max_age", "max_bytes", "num_replicas"] as const;

/**
 * What the mirror needs. `source` is read after `mirror`, so a mirror that is ahead of it has messages which the stream
 * has lost and whose sequences other messages will get. `stillForMs`: how long the mirror has got no event.
 */
export function needOf(
  source: StreamInfo,
  mirror: StreamInfo | undefined,
  wanted: WantedStream,
  stillForMs: number,
): Need {
  if (mirror === undefined) return "missing";
  if (mirror.config.description !== wanted.description) return "other stream";
  if (mirror.state.last_seq > source.state.last_seq) return "ahead";
  if (source.state.last_seq > mirror.state.last_seq && stillForMs >= limits.jetstream.mirrorStandsMs)
    return "stands still";
  return changeable.every((key) => mirror.config[key] === wanted[key]) ? "none" : "change";
}

/**
 * Keeps the mirror of stream EVENTS that other systems read. It has the stream's sequences, times and bounds. It is made
 * again if the stream was lost and made again, or if it gets no events. Then the known durable consumers of readers are
 * made again too, on a mirror of the same stream at their position. Several nodes may do it
 * at once.
 */
export class EventMirror {
  private readonly source: JetStreamManager;
  private readonly manager: JetStreamManager;
  private readonly nats: Requests | undefined;
  private readonly log: Log;
  private readonly now: () => number;
  private readonly mayChange: () => boolean;
  private readonly name = mirrorSubjects(config().NAMESPACE).stream;
  private mustAgree = false;
  private progress: Progress | undefined;
  /** The durable consumers of readers, as of the last look that found a mirror. */
  private consumers: readonly ConsumerInfo[] = [];
  /** Those of a mirror that was made again, until it has the events up to their positions. */
  private waiting: readonly ConsumerInfo[] = [];
  private last: MirrorState = { behind: 0, consumers: 0, problem: "the mirror of EVENTS was not looked at yet" };

  /**
   * `source` reads the services' account; `manager` makes the mirror in the other. While `mayChange` is false, the bounds
   * of a mirror that is there stay as they are: those of a later release are not changed back.
   */
  constructor(
    source: JetStreamManager,
    manager: JetStreamManager,
    log: Log,
    { nats, now = () => performance.now(), mayChange = () => true }: MirrorParts = {},
  ) {
    this.nats = nats;
    this.mayChange = mayChange;
    this.source = source;
    this.manager = manager;
    this.log = log;
    this.now = now;
  }

  get state(): MirrorState {
    return this.last;
  }

  /** Looks once, and repairs. While EVENTS itself is missing nothing is done: whoever needs it has it made. */
  async look(): Promise<void> {
    try {
      const mirror = await findStream(this.manager, this.name);
      const source = await findStream(this.source, this.name);
      if (!source) return this.report(0, "stream EVENTS is missing");
      const wanted = mirrorConfig(source);
      const stillForMs = mirror ? this.stillFor(mirror) : 0;
      const found = needOf(source, mirror, wanted, stillForMs);
      const need = found === "change" && !this.mayChange() ? "none" : found;
      if (mirror) this.consumers = await this.known();
      if (need === "change") await this.manager.streams.update(this.name, wanted);
      else if (need !== "none") await this.make(wanted, mirror, need);
      await this.agree();
      await this.restore(source);
      const behind = need === "none" && mirror ? Math.max(0, source.state.last_seq - mirror.state.last_seq) : 0;
      const stands = behind > 0 && stillForMs >= limits.jetstream.mirrorLateMs;
      this.report(behind, stands ? `the mirror of EVENTS stands still, ${behind} events behind` : undefined);
    } catch (error) {
      this.report(this.last.behind, `the mirror of EVENTS cannot be kept: ${(error as Error).message}`);
      throw error;
    }
  }

  /** After this process has made the mirror; tried again at the next look. */
  private async agree(): Promise<void> {
    if (!this.mustAgree || !this.nats) return;
    await letServersAgree(this.manager, this.nats, this.name);
    this.mustAgree = false;
  }

  private report(behind: number, problem: string | undefined): void {
    this.last = { behind, consumers: this.consumers.length, problem };
  }

  private stillFor({ created, state: { last_seq: seq } }: StreamInfo): number {
    if (this.progress?.created !== created || this.progress.seq !== seq)
      this.progress = { created, seq, at: this.now() };
    return this.now() - this.progress.at;
  }

  /** The durable consumers of the mirror, and those that are to be made on it again. */
  private async known(): Promise<ConsumerInfo[]> {
    const found: ConsumerInfo[] = [];
    for await (const one of this.manager.consumers.list(this.name)) if (one.config.durable_name) found.push(one);
    this.waiting = this.waiting.filter(({ name }) => !found.some((one) => one.name === name));
    return [...found, ...this.waiting];
  }

  private async make(wanted: WantedStream, former: StreamInfo | undefined, why: Need): Promise<void> {
    if (former) {
      // Another node may have made it meanwhile.
      const now = await findStream(this.manager, this.name);
      if (now && now.created !== former.created) return;
      await this.manager.streams.delete(this.name);
    }
    await this.manager.streams.add(wanted);
    const about = { stream: this.name, why, consumers: this.consumers.length };
    if (former || this.consumers.length > 0) this.log.warn(about, "the mirror of EVENTS was made again");
    else this.log.info(about, "the mirror of EVENTS, which other systems read, is made");
    const isSame = former === undefined || former.config.description === wanted.description;
    this.waiting = isSame ? this.consumers : [];
    // The sequences of another stream are not those that the consumers know.
    if (!isSame) for (const consumer of this.consumers) await this.makeAgain(consumer, { deliver_policy: all });
    this.mustAgree = (wanted.num_replicas ?? 1) > 1;
  }

  /**
   * Makes the waiting consumers whose positions the mirror has reached. nats-server begins a consumer at the end of what
   * a stream has, and at 1 where it is empty, if its position is beyond that.
   */
  private async restore(source: StreamInfo): Promise<void> {
    if (this.waiting.length === 0) return;
    const has = (await findStream(this.manager, this.name))?.state.last_seq;
    if (has === undefined) return;
    const isReached = ({ ack_floor }: ConsumerInfo) => has >= Math.min(ack_floor.stream_seq, source.state.last_seq);
    const reached = this.waiting.filter(isReached);
    this.waiting = this.waiting.filter((one) => !isReached(one));
    for (const consumer of reached)
      await this.makeAgain(consumer, {
        deliver_policy: fromSequence,
        opt_start_seq: consumer.ack_floor.stream_seq + 1,
      });
  }

  private async makeAgain({ name, config: former }: ConsumerInfo, start: Partial<ConsumerConfig>): Promise<void> {
    const { opt_start_seq: _seq, opt_start_time: _time, ...kept } = former;
    await this.manager.consumers.add(this.name, { ...kept, ...start }).catch((error: unknown) => {
      const about = { stream: this.name, consumer: name, err: error };
      this.log.warn(about, "a consumer of another system could not be made again here: another node may have made it");
    });
  }
}
