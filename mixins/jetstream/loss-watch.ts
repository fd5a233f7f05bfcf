import type { ConsumerInfo, JetStreamManager, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { Conditions } from "./conditions.ts";
import type { StreamDefinition } from "./definitions.ts";
import { lostWith, purgedBetween, type SeenConsumer, type SeenStream, seenStream } from "./losses.ts";
import { PassedMessages } from "./passed-messages.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import type { Provisioning } from "./provisioning.ts";
import type { Recoveries } from "./recoveries.ts";
import { type Finding, SeenStreams } from "./seen-streams.ts";
import { findStream, identityOf, lossOf } from "./streams.ts";

export interface LossParts {
  readonly manager: JetStreamManager;
  readonly provisioning: Provisioning;
  readonly conditions: Conditions;
  /** Of a service with a database. */
  readonly positions?: PositionKeeper;
  readonly recoveries?: Recoveries;
  readonly log: Log;
  /** For the metrics: messages that are lost with a stream or a purge. */
  countLost(stream: string, messages: number): void;
}

/** Detects that a stream has lost messages, or a queue's consumer passed them, and starts what brings them back. */
export class LossWatch {
  readonly seen = new SeenStreams();
  private readonly parts: LossParts;
  private readonly passed = new PassedMessages();
  /** By durable: the last message that it has passed, and how often the queue was marked for it. */
  private readonly passedMarks = new Map<string, { created: string; sequence: number; marks: number }>();
  /** The earliest end of each stream that ends before its last known one, and when the message there was stored. */
  private readonly earlyEnds = new Map<string, { sequence: number; time: number }>();
  /** By stream: how many messages are reported as purged while the queue could not be marked. */
  private readonly unmarked = new Map<string, number>();

  constructor(parts: LossParts) {
    this.parts = parts;
  }

  /** Streams that were lost at the start and have been made again. The number of their messages is unknown. */
  goneAtStart(streams: readonly string[]): void {
    const { log, conditions, countLost } = this.parts;
    for (const stream of streams) {
      log.error(
        { stream },
        "a stream was lost at the start and was made again: its messages are restored from the books",
      );
      countLost(stream, 1);
      conditions.lost(`stream ${stream} was lost at the start, with its messages: see the log`);
    }
  }

  /** Compares a stream with its last known state. Returns its present state. */
  async look(info: StreamInfo, kind: StreamDefinition["kind"], consumers: () => SeenConsumer[]): Promise<StreamInfo> {
    const { positions, recoveries } = this.parts;
    const [stream, now] = [info.config.name, seenStream(info)];
    if (!this.seen.get(stream)) {
      const lastSequence = Math.max(now.lastSequence, (await positions?.lastSeen(info)) ?? 0);
      this.seen.believe(stream, { ...now, lastSequence });
    }
    this.noteEarlyEnd(info);
    const finding = this.seen.compare(stream, now);
    if (finding.is === "back") return this.streamIsBack(finding, info, kind);
    if (finding.is === "another")
      this.streamIsAnother(finding.before, info, lostWith(kind, finding.before, consumers()));
    recoveries?.seen({ stream, created: info.created, again: lossOf(info) });
    return info;
  }

  /**
   * Reports a queue that was purged, and marks it. The next check of each node sees the mark and starts the recoveries.
   * Returns whether it was purged. If it rejects, the next check repeats it with the same `before`: what is reported by
   * then is not reported again.
   */
  async lookForPurge(info: StreamInfo, before: SeenConsumer, now: SeenConsumer): Promise<boolean> {
    const lost = purgedBetween(before, now);
    if (lost === 0) return false;
    const stream = info.config.name;
    const more = lost - (this.unmarked.get(stream) ?? 0);
    const text = "a queue was purged: its messages are restored from the books once a provisioner has marked it";
    if (more > 0) this.report(stream, more, { stream, lost: more }, text);
    this.unmarked.set(stream, lost);
    await this.parts.provisioning.markLoss(stream, identityOf(info));
    this.unmarked.delete(stream);
    return true;
  }

  /**
   * Marks a queue whose consumer has passed messages: as after a loss its consumers are made again under another name,
   * which late acks do not reach, and deliver everything that is left. Where it cannot be marked now, it is tried again;
   * where `limits.jetstream.passedMarks` marks brought nothing, it is an error that somebody must look at. Never rejects.
   */
  async lookForPassed(durable: string, info: StreamInfo, consumer: ConsumerInfo): Promise<void> {
    const sequence = this.passed.look(durable, info, consumer, performance.now());
    if (sequence === undefined) return;
    const { log, provisioning } = this.parts;
    const about = { stream: info.config.name, consumer: consumer.name, sequence, messages: info.state.messages };
    const before = this.passedMarks.get(durable);
    const marks = before?.sequence === sequence && before.created === info.created ? before.marks : 0;
    if (marks > limits.jetstream.passedMarks) return;
    if (marks === limits.jetstream.passedMarks)
      log.error(
        { ...about, marks },
        "a queue's oldest message is not delivered, although its consumers were made again",
      );
    else
      try {
        log.warn(about, "a queue's consumer has passed messages: they are delivered again once a provisioner marks it");
        await provisioning.markLoss(about.stream, identityOf(info));
      } catch (error) {
        log.warn({ ...about, err: error }, "a queue whose consumer has passed messages was not marked: tried again");
        return;
      }
    this.passedMarks.set(durable, { created: info.created, sequence, marks: marks + 1 });
  }

  private noteEarlyEnd({ config: { name }, created, state }: StreamInfo): void {
    const seen = this.seen.get(name);
    if (seen?.created !== created || state.last_seq >= seen.lastSequence) this.earlyEnds.delete(name);
    else if (state.last_seq <= (this.earlyEnds.get(name)?.sequence ?? state.last_seq))
      this.earlyEnds.set(name, { sequence: state.last_seq, time: Date.parse(state.last_ts) });
  }

  /** Where nothing was ever stored, the server gives the year 1. */
  private timeAt(stream: string, sequence: number): { lastTime?: Date } {
    const end = this.earlyEnds.get(stream);
    return end?.sequence === sequence && end.time > 0 ? { lastTime: new Date(end.time) } : {};
  }

  private streamIsAnother(before: SeenStream, info: StreamInfo, lost: number): void {
    const stream = info.config.name;
    const about = { stream, lost, lastSequence: before.lastSequence, created: before.created, madeAgain: info.created };
    this.report(stream, lost, about, "a stream was lost and made again: its messages are restored from the books");
  }

  /** If it rejects, the next check repeats it. */
  private async streamIsBack(
    { before, lastSequence, isMarked }: Extract<Finding, { is: "back" }>,
    info: StreamInfo,
    kind: StreamDefinition["kind"],
  ): Promise<StreamInfo> {
    const { manager, provisioning, positions, recoveries } = this.parts;
    const { created } = info;
    const stream = info.config.name;
    // Before the mark: a node that starts and sees the mark must not count the loss again.
    await positions?.seenBack(info, lastSequence);
    if (kind === "queue" && !isMarked) await provisioning.markLoss(stream, identityOf(info));
    const now = (await findStream(manager, stream)) ?? info;
    const generation = { stream, created, again: lossOf(now), lastSequence, ...this.timeAt(stream, lastSequence) };
    if (kind === "queue") recoveries?.seen(generation);
    else recoveries?.again(generation);
    this.seen.believe(stream, { ...seenStream(now), lastSequence });
    const lost = before.lastSequence - lastSequence;
    const about = { stream, lost, lastSequence: before.lastSequence, endsAt: lastSequence, created };
    this.report(stream, lost, about, "a stream went back in time: its messages are restored from the books");
    return now;
  }

  private report(stream: string, lost: number, about: object, text: string): void {
    const { log, conditions, countLost } = this.parts;
    log.error(about, text);
    countLost(stream, lost);
    if (lost > 0) conditions.lost(`${lost} messages were lost with stream ${stream}: see the log`);
  }
}
