import { type Queryable, toSafeInteger } from "../mysql/database.ts";

/** The reader that stands for all consumers of a stream together: what it has reached was read by each of them. */
export const allConsumers = "*";

/** A stream, told from one of the same name that was there before, and from itself before it lost messages. */
export interface StreamGeneration {
  /** The server's name of it. */
  readonly stream: string;
  /** Its creation time as the server writes it. */
  readonly created: string;
  /** "" for a new stream, else a mark that is the same for one purge or rollback of it. */
  readonly again?: string;
  /** Of a stream that went back in time: where it ended then. What was acked beyond that is lost. */
  readonly lastSequence?: number;
}

export interface Position {
  /** Everything up to here is done. */
  readonly sequence: number;
  /** When the reader came there, by the database's clock. */
  readonly time: Date;
}

/** All SQL of `t_stream_position`, in the database of the service that reads. */
export class Positions {
  private readonly db: Queryable;

  constructor(db: Queryable) {
    this.db = db;
  }

  async find(reader: string, { stream, created }: StreamGeneration): Promise<Position | undefined> {
    const [row] = await this.db.query<{ sequence: string; update_time: Date }>(
      "SELECT sequence, update_time FROM t_stream_position WHERE reader = ? AND stream = ? AND stream_created = ?",
      [reader, stream, created],
    );
    return row && { sequence: toSafeInteger(row.sequence), time: row.update_time };
  }

  /** When a reader last came forward in another stream of the name; `undefined` where there was none. */
  async lastTimeInFormer(reader: string, { stream, created }: StreamGeneration): Promise<Date | undefined> {
    const [row] = await this.db.query<{ time: Date | null }>(
      `SELECT MAX(update_time) AS time FROM t_stream_position
       WHERE reader = ? AND stream = ? AND stream_created <> ?`,
      [reader, stream, created],
    );
    return row?.time ?? undefined;
  }

  /** Whether this service has ever noted anything of a stream of this name. */
  async knows(stream: string): Promise<boolean> {
    const rows = await this.db.query("SELECT 1 FROM t_stream_position WHERE stream = ? LIMIT 1", [stream]);
    return rows.length > 0;
  }

  /** Many nodes write the same row: it only ever grows. */
  async advance(reader: string, { stream, created }: StreamGeneration, sequence: number): Promise<void> {
    await this.db.run(
      `INSERT INTO t_stream_position (reader, stream, stream_created, sequence, update_time)
       VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
       ON DUPLICATE KEY UPDATE update_time = IF(sequence < VALUES(sequence), UTC_TIMESTAMP(3), update_time),
         sequence = GREATEST(sequence, VALUES(sequence))`,
      [reader, stream, created, sequence],
    );
  }

  /** Of a stream that was restored from a backup: takes back a position beyond its end, unless another node was first. */
  async takeBack(reader: string, { stream, created }: StreamGeneration, from: number, to: number): Promise<void> {
    await this.db.run(
      `UPDATE t_stream_position SET sequence = ?, update_time = UTC_TIMESTAMP(3)
       WHERE reader = ? AND stream = ? AND stream_created = ? AND sequence = ?`,
      [to, reader, stream, created, from],
    );
  }
}
