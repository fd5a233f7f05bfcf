import type { ConsumerInfo, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import type { ConsumerDefinition } from "./definitions.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { type Gap, nextReading, type Reading } from "./readings.ts";
import { StreamEnds } from "./stream-ends.ts";

interface Parts {
  readonly positions: PositionKeeper;
  readonly log: Log;
  /** For the metrics: an upper bound of the messages that a log dropped unread. */
  countLost(stream: string, messages: number): void;
}

/**
 * Keeps how far the consumers of a log have read, and finds gaps: messages that the log dropped before a consumer read
 * them. A consumer with `ChannelDefinition.missed` catches up on them from the books.
 */
export class GapWatch {
  private readonly parts: Parts;
  private readonly readings = new Map<string, Reading>();
  private readonly ends = new Map<string, StreamEnds>();
  /** Consumers whose gap is being closed. */
  private readonly closing = new Map<string, Promise<unknown>>();
  /** Up to where the loss of each consumer was counted. */
  private readonly reported = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** `stream` was read before `info` of the consumer. */
  async look(consumer: ConsumerDefinition, stream: StreamInfo, info: ConsumerInfo): Promise<void> {
    const { positions } = this.parts;
    const key = `${consumer.durable} ${stream.config.name} ${stream.created}`;
    const ends = this.endsOf(stream);
    if (this.closing.has(key)) return;
    const known = this.readings.get(key) ?? { upTo: await this.readBefore(consumer, stream), candidate: 0 };
    const { gap, ...reading } = nextReading(known, stream, info);
    this.readings.set(key, reading);
    await positions.note(consumer.durable, stream, reading.upTo, ends.timeOf(reading.upTo));
    if (gap) await this.found(key, consumer, stream, gap);
  }

  private endsOf(stream: StreamInfo): StreamEnds {
    const key = `${stream.config.name} ${stream.created}`;
    const ends = this.ends.get(key) ?? new StreamEnds();
    this.ends.set(key, ends);
    ends.saw(stream);
    return ends;
  }

  /** A consumer that has no position in the stream begins at its first message: it has missed nothing. */
  private async readBefore({ durable }: ConsumerDefinition, stream: StreamInfo): Promise<number> {
    const position = await this.parts.positions.find(durable, stream);
    return position?.sequence ?? Math.max(0, stream.state.first_seq - 1);
  }

  private async found(key: string, consumer: ConsumerDefinition, stream: StreamInfo, gap: Gap): Promise<void> {
    const { positions, log, countLost } = this.parts;
    if (await this.isClosed(key, consumer, stream, gap)) return;
    const about = { consumer: consumer.durable, stream: stream.config.name, firstSequence: gap.before };
    const reported = this.reported.get(key);
    const messages = gap.before - Math.max(gap.after + 1, reported ?? 0);
    if (messages > 0) {
      this.reported.set(key, gap.before);
      countLost(stream.config.name, messages);
    }
    const { catchUp } = consumer;
    if (!catchUp) {
      log.error(
        { ...about, messages },
        "a log dropped messages that a consumer may not have read: nothing brings them back",
      );
      this.readings.set(key, { upTo: gap.before - 1, candidate: 0 });
      await positions.note(consumer.durable, stream, gap.before - 1);
      return;
    }
    if (reported === undefined || reported <= gap.after + 1)
      log.error({ ...about, messages }, "a log dropped messages that a consumer may not have read: it catches up");
    const closing: Promise<unknown> = catchUp
      .alone((signal) => this.close(key, consumer, catchUp, stream, gap, signal), this.stopping.signal)
      .catch((err) => {
        if (!this.stopping.signal.aborted) log.warn({ ...about, err }, "a consumer could not catch up: it tries again");
      })
      .finally(() => this.closing.delete(key));
    // Not awaited: the looks at the other streams go on.
    this.closing.set(key, closing);
  }

  /** Whether another node was first. */
  private async isClosed(key: string, { durable }: ConsumerDefinition, stream: StreamInfo, gap: Gap): Promise<boolean> {
    const position = await this.parts.positions.find(durable, stream);
    if (!position || position.sequence < gap.before - 1) return false;
    this.readings.set(key, { upTo: position.sequence, candidate: 0 });
    return true;
  }

  private async close(
    key: string,
    consumer: ConsumerDefinition,
    catchUp: NonNullable<ConsumerDefinition["catchUp"]>,
    stream: StreamInfo,
    gap: Gap,
    signal: AbortSignal,
  ): Promise<void> {
    const { positions, log } = this.parts;
    if (await this.isClosed(key, consumer, stream, gap)) return;
    const position = await positions.find(consumer.durable, stream);
    // What the books know by now is told from them.
    const begun = new Date();
    await catchUp.missed(position?.time ?? new Date(stream.created), signal);
    this.readings.set(key, { upTo: gap.before - 1, candidate: 0 });
    await positions.note(consumer.durable, stream, gap.before - 1, begun);
    log.info({ consumer: consumer.durable, stream: stream.config.name }, "a consumer has caught up from the books");
  }

  /** Ends what is being closed after the event in progress; another node, or the next start, finds the gap again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.closing.values());
  }
}
