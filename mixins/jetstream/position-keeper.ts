import type { JetStreamManager, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { Start } from "./definitions.ts";
import { allConsumers, type Position, type Positions, type StreamGeneration } from "./positions.ts";
import { findStream } from "./streams.ts";

const generationOf = ({ config, created }: StreamInfo): StreamGeneration => ({ stream: config.name, created });
/** The reader that stands for the service itself: how far it has seen the stream grow. */
const serviceReader = "seen";

/**
 * Stores how far the readers of a service's logs have read, and computes the start of a consumer that is made again.
 */
export class PositionKeeper {
  private readonly manager: JetStreamManager;
  private readonly positions: Positions;
  private readonly log: Log;
  /** The sequences that are stored in the database, by reader and stream generation. */
  private readonly stored = new Map<string, number>();
  private readonly seen = new Map<string, { sequence: number; at: number }>();
  private readonly generations = new Map<string, number>();
  private tracking = false;

  constructor(manager: JetStreamManager, positions: Positions, log: Log) {
    this.manager = manager;
    this.positions = positions;
    this.log = log;
  }

  /** From now on it also stores how far all consumers of a log have read, including those of other systems. */
  trackAllConsumers(): void {
    this.tracking = true;
  }

  /**
   * Behind the stored position where the stream is the same one; at the first message where it is another, or where
   * there is no position. A stream that ends before the position was restored from a backup: then at what was stored in
   * it since the position's time, which is what is new, and at the most a little of the backup.
   */
  async startOf(durable: string, stream: StreamInfo): Promise<Start> {
    const generation = generationOf(stream);
    const position = await this.positions.find(durable, generation);
    if (!position) return "first";
    // Checked after the position was read: this node's state of the stream may be older.
    const now = await findStream(this.manager, generation.stream);
    if (now?.created !== stream.created) throw new Error(`stream ${generation.stream} was just made again`);
    if (position.sequence <= now.state.last_seq) return { after: position.sequence };
    const since = new Date(position.time.getTime() - limits.jetstream.clockMarginMs);
    const about = {
      consumer: durable,
      stream: generation.stream,
      lastSequence: now.state.last_seq,
      ...position,
      since,
    };
    this.log.error(
      about,
      "a stream ends before a reader's position, as after a restore: the reader continues with its new messages",
    );
    return { since };
  }

  /** The number of this stream among those of its name that the service's nodes have seen, from 0. */
  async generationOf(stream: StreamInfo): Promise<number> {
    const generation = generationOf(stream);
    const key = `${generation.stream} ${generation.created}`;
    const number = this.generations.get(key) ?? (await this.positions.numberOf(generation));
    this.generations.set(key, number);
    return number;
  }

  /** A reader's stored position in the stream. */
  find(reader: string, stream: StreamInfo): Promise<Position | undefined> {
    return this.positions.find(reader, generationOf(stream));
  }

  /**
   * Notes that a reader is done with everything up to `reached`. `stream` was looked at before that was known. `time`:
   * as `Position.time`.
   */
  async note(reader: string, stream: StreamInfo, reached: number, time?: Date): Promise<void> {
    const generation = generationOf(stream);
    const key = `${reader} ${generation.stream} ${generation.created}`;
    const stored = this.stored.get(key);
    if (stored === undefined) {
      // Compared with the stream at the next check, which is later than this.
      const found = (await this.positions.find(reader, generation))?.sequence ?? 0;
      if (reached > found || found === 0) await this.positions.advance(reader, generation, reached, time);
      this.stored.set(key, Math.max(found, reached));
    } else if (stored > stream.state.last_seq && reached < stored) {
      await this.positions.takeBack(reader, generation, stored, reached);
      this.stored.delete(key);
    } else if (reached > stored) {
      await this.positions.advance(reader, generation, reached, time);
      this.stored.set(key, reached);
    }
  }

  /**
   * Stores that the stream exists, and every few seconds how far it has grown. If it is missing or shorter at a later
   * start, messages were lost.
   */
  async noteSeen(stream: StreamInfo): Promise<void> {
    const generation = generationOf(stream);
    const sequence = stream.state.last_seq;
    const key = `${generation.stream} ${generation.created}`;
    const noted = this.seen.get(key);
    const now = Date.now();
    if (noted && (sequence <= noted.sequence || now - noted.at < limits.jetstream.noteSeenEveryMs)) return;
    await this.positions.advance(serviceReader, generation, sequence);
    this.seen.set(key, { sequence, at: now });
  }

  /** The highest sequence of this stream that any node of the service has stored. */
  async lastSeen(stream: StreamInfo): Promise<number> {
    return (await this.positions.find(serviceReader, generationOf(stream)))?.sequence ?? 0;
  }

  /** The stream has gone back in time. */
  async seenBack(stream: StreamInfo, lastSequence: number): Promise<void> {
    const generation = generationOf(stream);
    const noted = await this.lastSeen(stream);
    if (noted > lastSequence) await this.positions.takeBack(serviceReader, generation, noted, lastSequence);
    this.seen.delete(`${generation.stream} ${generation.created}`);
  }

  /** A consumer with a filter for which nothing is pending has read the whole stream, whatever its last ack was. */
  async noteAllConsumers(stream: StreamInfo): Promise<void> {
    if (!this.tracking) return;
    const reached: number[] = [];
    for await (const { num_pending, num_ack_pending, ack_floor } of this.manager.consumers.list(stream.config.name))
      reached.push(num_pending + num_ack_pending === 0 ? stream.state.last_seq : ack_floor.stream_seq);
    if (reached.length > 0) await this.note(allConsumers, stream, Math.min(...reached));
  }
}
