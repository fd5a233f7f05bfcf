import type { ConsumerInfo, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { ConsumerDefinition } from "./definitions.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { type Gap, nextReading, type Reading } from "./readings.ts";
import { StreamEnds } from "./stream-ends.ts";

interface Parts {
  readonly positions: PositionKeeper;
  readonly log: Log;
  /** For the metrics: messages that a log dropped unread, at the most. */
  countLost(stream: string, messages: number): void;
}

/**
 * Keeps how far the consumers of a log have read, and finds gaps: messages that the log dropped before a consumer had
 * read them. Those of a consumer that can are told again from the books (`ChannelDefinition.missed`).
 */
export class GapWatch {
  private readonly parts: Parts;
  private readonly readings = new Map<string, Reading>();
  private readonly ends = new Map<string, StreamEnds>();
  /** Consumers whose gap is being closed. */
  private readonly closing = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** `stream` was looked at before `info` of the consumer. */
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
    const position = await positions.find(consumer.durable, stream);
    const closed = { upTo: gap.before - 1, candidate: 0 };
    if (position && position.sequence >= closed.upTo) {
      // Another node was first.
      this.readings.set(key, { upTo: position.sequence, candidate: 0 });
      return;
    }
    const messages = gap.before - gap.after - 1;
    const about = { consumer: consumer.durable, stream: stream.config.name, messages, firstSequence: gap.before };
    countLost(stream.config.name, messages);
    const close = async () => {
      // What the books know by now is told from them.
      const begun = new Date();
      const since = position?.time ?? new Date(stream.created);
      const { signal } = this.stopping;
      const from = new Date(since.getTime() - limits.jetstream.clockMarginMs);
      await consumer.missed?.({ since: from, signal, log });
      this.readings.set(key, closed);
      await positions.note(consumer.durable, stream, closed.upTo, consumer.missed ? begun : undefined);
    };
    if (!consumer.missed) {
      log.error(about, "a log dropped messages that a consumer may not have read: nothing brings them back");
      await close();
      return;
    }
    log.error(about, "a log dropped messages that a consumer may not have read: it catches up from the books");
    const closing = close()
      .then(() => log.info(about, "a consumer has caught up from the books"))
      .catch((error) => {
        if (!this.stopping.signal.aborted)
          log.warn({ ...about, err: error }, "a consumer could not catch up: it tries again");
      })
      .finally(() => this.closing.delete(key));
    // Not awaited: the looks at the other streams go on.
    this.closing.set(key, closing);
  }

  /** Ends what is being closed after the event in progress; another node, or the next start, finds the gap again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.closing.values());
  }
}
