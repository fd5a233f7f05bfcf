import { limits } from "../../config/limits.ts";
import {
  type Database,
  isDuplicateKey,
  type Queryable,
  type Transaction,
  toSafeInteger,
} from "../../mixins/mysql/database.ts";
import { firstIdSince } from "../../mixins/mysql/first-id-since.ts";

/** The SQL of the gifts by minute: records are added up once, in the order of their ids. */

const records = { table: "t_gift_record", column: "update_time" };

interface Sum {
  /** Its first second, as the database writes it. */
  readonly minute: string;
  readonly gifts: string;
  readonly coins: string;
}

async function nowOf(db: Queryable): Promise<number> {
  const [row] = await db.query<{ now_time: Date }>("SELECT UTC_TIMESTAMP(3) AS now_time");
  return (row as { now_time: Date }).now_time.getTime();
}

/** Where the adding up goes on. The first node of a new table begins some time back. */
async function positionOf(db: Queryable, nowMs: number): Promise<bigint> {
  const [row] = await db.query<{ next_record: string }>("SELECT next_record FROM t_gift_minute_position WHERE id = 1");
  if (row) return BigInt(row.next_record);
  const first = await firstIdSince(db, records, new Date(nowMs - limits.gift.minutesBackMs));
  try {
    await db.run("INSERT INTO t_gift_minute_position (id, next_record) VALUES (1, ?)", [String(first)]);
  } catch (error) {
    // Another node has begun at the same moment.
    if (!isDuplicateKey(error)) throw error;
  }
  return positionOf(db, nowMs);
}

/** Whether the records at a position are too old to be looked at by anybody. */
async function isOld(db: Queryable, position: bigint, nowMs: number): Promise<boolean> {
  const [row] = await db.query<{ update_time: Date }>(
    "SELECT update_time FROM t_gift_record WHERE id >= ? ORDER BY id LIMIT 1",
    [String(position)],
  );
  return row !== undefined && row.update_time.getTime() < nowMs - limits.gift.minutesKeptMs;
}

/** The sums of the records of a range of ids: one pass over the primary key. */
function sumsOf(db: Queryable, from: bigint, until: bigint): Promise<Sum[]> {
  return db.query<Sum>(
    `SELECT DATE_FORMAT(update_time, '%Y-%m-%d %H:%i:00') AS minute, COUNT(*) AS gifts, SUM(price * count) AS coins
     FROM t_gift_record WHERE id >= ? AND id < ? AND status = 1 GROUP BY minute`,
    [String(from), String(until)],
  );
}

/** Adds sums and moves on, both or nothing; `false` where another node has moved on meanwhile. */
async function move(tx: Transaction, from: bigint, until: bigint, sums: readonly Sum[]): Promise<boolean> {
  const { affectedRows } = await tx.run(
    "UPDATE t_gift_minute_position SET next_record = ? WHERE id = 1 AND next_record = ?",
    [String(until), String(from)],
  );
  if (affectedRows !== 1) return false;
  for (const { minute, gifts, coins } of sums)
    await tx.run(
      `INSERT INTO t_gift_minute (minute, gifts, coins) VALUES (?, ?, ?)
       ON DUPLICATE KEY UPDATE gifts = gifts + VALUES(gifts), coins = coins + VALUES(coins)`,
      [minute, gifts, coins],
    );
  return true;
}

/**
 * Adds up the next records, each once, whoever does it. Returns whether there are more. A record that becomes visible
 * more than `limits.gift.minutesDelayMs` after later ones is left out.
 */
export async function addUpMinutes(mysql: Database): Promise<boolean> {
  const now = await nowOf(mysql);
  const { minutesDelayMs, minutesRecords, minutesKeptMs, minutesBackMs } = limits.gift;
  const stored = await positionOf(mysql, now);
  const isBehind = await isOld(mysql, stored, now);
  const from = isBehind ? await firstIdSince(mysql, records, new Date(now - minutesBackMs)) : stored;
  const end = await firstIdSince(mysql, records, new Date(now - minutesDelayMs));
  const until = end < from + BigInt(minutesRecords) ? end : from + BigInt(minutesRecords);
  if (until <= from && !isBehind) return false;
  const sums = until > from ? await sumsOf(mysql, from, until) : [];
  await mysql.transaction((tx) => move(tx, stored, until > from ? until : from, sums));
  await mysql.run("DELETE FROM t_gift_minute WHERE minute < ?", [new Date(now - minutesKeptMs)]);
  return until < end;
}

/** The minutes from one on, by their ISO text. */
export async function minutesSince(db: Queryable, first: Date): Promise<Map<string, { gifts: number; coins: number }>> {
  const rows = await db.query<{ minute: Date; gifts: string; coins: string }>(
    "SELECT minute, gifts, coins FROM t_gift_minute WHERE minute >= ?",
    [first],
  );
  return new Map(
    rows.map(({ minute, gifts, coins }) => [
      minute.toISOString(),
      { gifts: toSafeInteger(gifts), coins: toSafeInteger(coins) },
    ]),
  );
}
