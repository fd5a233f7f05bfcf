import { type Queryable, toSafeInteger } from "../mysql/database.ts";

/** The reader that stands for all consumers of a stream: its position was read by each of them. */
export const allConsumers = "*";
const generationReader = "generation";

/** Identifies a stream: it differs from a former stream of the same name, and from itself before a loss of messages. */
export interface StreamGeneration {
  /** Its name on the server. */
  readonly stream: string;
  /** Its creation time, as the server writes it. */
  readonly created: string;
  /** "" for a new stream, else the mark of a purge or rollback. */
  readonly again?: string;
  /** Of a stream that went back in time: its last sequence then. What was acked beyond it is lost. */
  readonly lastSequence?: number;
  /** When the message at `lastSequence` was stored; absent where that is not known. */
  readonly lastTime?: Date;
}

export interface Position {
  /** Everything up to here is handled. */
  readonly sequence: number;
  /** Everything unread was stored at this time or later, give or take `limits.jetstream.clockMarginMs`. */
  readonly time: Date;
}

/** All SQL of `t_stream_position`, in the database of the service that reads. */
export class Positions {
  private readonly db: Queryable;

  constructor(db: Queryable) {
    this.db = db;
  }

  async find(reader: string, { stream, created }: StreamGeneration): Promise<Position | undefined> {
    const [row] = await this.db.query<{ sequence: string; unread_since: Date }>(
      "SELECT sequence, unread_since FROM t_stream_position WHERE reader = ? AND stream = ? AND stream_created = ?",
      [reader, stream, created],
    );
    return row && { sequence: toSafeInteger(row.sequence), time: row.unread_since };
  }

  /** `Position.time` of a reader in the last stream of the name before this one; `undefined` where there was none. */
  async lastTimeInFormer(reader: string, { stream, created }: StreamGeneration): Promise<Date | undefined> {
    const [row] = await this.db.query<{ time: Date | null }>(
      `SELECT MAX(unread_since) AS time FROM t_stream_position
       WHERE reader = ? AND stream = ? AND stream_created <> ?`,
      [reader, stream, created],
    );
    return row?.time ?? undefined;
  }

  /**
   * The number of a stream among those of its name, from 0, in the order in which the nodes of the service saw them.
   * Its row has the reader `generation` and the number as its sequence.
   */
  async numberOf({ stream, created }: StreamGeneration): Promise<number> {
    const find = () => this.find(generationReader, { stream, created });
    const known = await find();
    if (known) return known.sequence;
    const [last] = await this.db.query<{ sequence: string | null }>(
      `SELECT MAX(sequence) AS sequence FROM t_stream_position
       WHERE reader = ? AND stream = ? AND stream_created <> ?`,
      [generationReader, stream, created],
    );
    const next = last?.sequence == null ? 0 : toSafeInteger(last.sequence) + 1;
    // Another node may have been first: its number stays.
    await this.db.run(
      `INSERT INTO t_stream_position (reader, stream, stream_created, sequence, unread_since)
       VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
       ON DUPLICATE KEY UPDATE sequence = sequence`,
      [generationReader, stream, created, next],
    );
    return (await find())?.sequence ?? next;
  }

  /** Whether this service has stored a position in any stream of this name. */
  async knows(stream: string): Promise<boolean> {
    const rows = await this.db.query("SELECT 1 FROM t_stream_position WHERE stream = ? LIMIT 1", [stream]);
    return rows.length > 0;
  }

  /**
   * Many nodes write the same row: it only ever grows. `time`: as `Position.time`; a row keeps its own where it is not
   * known, and a new one gets the time of now.
   */
  async advance(reader: string, { stream, created }: StreamGeneration, sequence: number, time?: Date): Promise<void> {
    const later = "IF(sequence < VALUES(sequence), GREATEST(unread_since, VALUES(unread_since)), unread_since)";
    await this.db.run(
      `INSERT INTO t_stream_position (reader, stream, stream_created, sequence, unread_since)
       VALUES (?, ?, ?, ?, ${time ? "?" : "UTC_TIMESTAMP(3)"})
       ON DUPLICATE KEY UPDATE unread_since = ${time ? later : "unread_since"},
         sequence = GREATEST(sequence, VALUES(sequence))`,
      [reader, stream, created, sequence, ...(time ? [time] : [])],
    );
  }

  /**
   * Of a stream that was restored from a backup: takes back a position beyond its end, unless another node was first.
   * Its time stays: what is new in the stream was stored after it.
   */
  async takeBack(reader: string, { stream, created }: StreamGeneration, from: number, to: number): Promise<void> {
    await this.db.run(
      `UPDATE t_stream_position SET sequence = ?
       WHERE reader = ? AND stream = ? AND stream_created = ? AND sequence = ?`,
      [to, reader, stream, created, from],
    );
  }
}
