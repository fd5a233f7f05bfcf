import type { JetStreamManager, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import type { Conditions } from "./conditions.ts";
import type { StreamDefinition } from "./definitions.ts";
import { lostWith, purgedBetween, type SeenConsumer, type SeenStream, seenStream } from "./losses.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import type { Recoveries } from "./recoveries.ts";
import { type Finding, SeenStreams } from "./seen-streams.ts";
import { findStream, lossOf, markLoss } from "./streams.ts";

export interface LossParts {
  readonly manager: JetStreamManager;
  readonly conditions: Conditions;
  /** Of a service with a database. */
  readonly positions?: PositionKeeper;
  readonly recoveries?: Recoveries;
  readonly log: Log;
  /** For the metrics: messages that are lost with a stream or a purge. */
  countLost(stream: string, messages: number): void;
}

/** Notices that a stream has lost messages, says so, and lets the recoveries run. */
export class LossWatch {
  readonly seen = new SeenStreams();
  private readonly parts: LossParts;

  constructor(parts: LossParts) {
    this.parts = parts;
  }

  /** Streams that were gone at the start, and were made again by then. How many messages they held nobody can say. */
  goneAtStart(streams: readonly string[]): void {
    const { log, conditions, countLost } = this.parts;
    for (const stream of streams) {
      log.error({ stream }, "a stream was gone at the start and was made again: what the books still know is put back");
      countLost(stream, 1);
      conditions.lost(`stream ${stream} was gone at the start, its messages are lost: see the log`);
    }
  }

  /** Compares a stream with what was seen of it before. Returns it as it is afterwards. */
  async look(info: StreamInfo, kind: StreamDefinition["kind"], consumers: () => SeenConsumer[]): Promise<StreamInfo> {
    const { positions, recoveries } = this.parts;
    const [stream, now] = [info.config.name, seenStream(info)];
    if (!this.seen.get(stream)) {
      const lastSequence = Math.max(now.lastSequence, (await positions?.lastSeen(info)) ?? 0);
      this.seen.believe(stream, { ...now, lastSequence });
    }
    const finding = this.seen.compare(stream, now);
    if (finding.is === "back") return this.streamIsBack(finding, info, kind);
    if (finding.is === "another")
      this.streamIsAnother(finding.before, info, lostWith(kind, finding.before, consumers()));
    recoveries?.seen({ stream, created: info.created, again: lossOf(info) });
    return info;
  }

  /** A queue that was purged gets a mark; the next look of each node sees it and lets the recoveries run. Whether it was. */
  async lookForPurge(info: StreamInfo, before: SeenConsumer, now: SeenConsumer): Promise<boolean> {
    const lost = purgedBetween(before, now);
    if (lost === 0) return false;
    const stream = info.config.name;
    await markLoss(this.parts.manager, info);
    this.report(stream, lost, { stream, lost }, "a queue was purged: what the books still know is put back");
    return true;
  }

  private streamIsAnother(before: SeenStream, info: StreamInfo, lost: number): void {
    const stream = info.config.name;
    const about = { stream, lost, lastSequence: before.lastSequence, created: before.created, madeAgain: info.created };
    this.report(stream, lost, about, "a stream is gone and was made again: what the books still know is put back");
  }

  /** Rejects, and is done once more at the next look, where something of it fails. */
  private async streamIsBack(
    { before, lastSequence, isMarked }: Extract<Finding, { is: "back" }>,
    info: StreamInfo,
    kind: StreamDefinition["kind"],
  ): Promise<StreamInfo> {
    const { manager, positions, recoveries } = this.parts;
    const { created } = info;
    const stream = info.config.name;
    // Before the mark: who starts and sees the mark must not take the loss for another one.
    await positions?.seenBack(info, lastSequence);
    if (kind === "queue" && !isMarked) await markLoss(manager, info);
    const now = (await findStream(manager, stream)) ?? info;
    const generation = { stream, created, again: lossOf(now), lastSequence };
    if (kind === "queue") recoveries?.seen(generation);
    else recoveries?.again(generation);
    this.seen.believe(stream, { ...seenStream(now), lastSequence });
    const lost = before.lastSequence - lastSequence;
    const about = { stream, lost, lastSequence: before.lastSequence, endsAt: lastSequence, created };
    this.report(stream, lost, about, "a stream went back in time: what the books still know is put back");
    return now;
  }

  private report(stream: string, lost: number, about: object, text: string): void {
    const { log, conditions, countLost } = this.parts;
    log.error(about, text);
    countLost(stream, lost);
    if (lost > 0) conditions.lost(`${lost} messages were lost with stream ${stream}: see the log`);
  }
}
