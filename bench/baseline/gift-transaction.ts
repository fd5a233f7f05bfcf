import type { ResultSetHeader, RowDataPacket } from "mysql2";
import { createPool, type Pool, type PoolConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { mysqlServers } from "../../mixins/mysql/servers.ts";
import type { AcceptedGift } from "../../services/gift/accepted-gift.ts";

/** Accounts, ledger and records are in one database, so that a gift is one transaction. */
export const baselineDatabase = (): string => databaseName("baseline");

/** A pool with one connection for each consumer. */
export function openPool(connections: number): Pool {
  const pool = createPool({
    // Of several servers the first: the baseline knows no other.
    uri: mysqlServers(config().MYSQL_URL)[0].uri,
    database: baselineDatabase(),
    connectionLimit: connections,
    supportBigNumbers: true,
    bigNumberStrings: true,
    timezone: "Z",
    flags: ["FOUND_ROWS"],
  });
  pool.on("connection", (connection) => {
    const raw = connection as unknown as { query(sql: string): void };
    raw.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    raw.query("SET SESSION time_zone = '+00:00'");
  });
  return pool;
}

export async function readBalance(pool: Pool, userId: string): Promise<number> {
  const [rows] = await pool.execute<RowDataPacket[]>(
    "SELECT current_balance FROM t_qiyu_currency_account WHERE user_id = ? AND status = 1",
    [userId],
  );
  return Number(rows[0]?.current_balance ?? 0);
}

/**
 * Writes debit, trade, record and the anchor's income in one transaction, durable when it resolves; `false` where the
 * balance is short. A gift that is `refused` before gets only a record.
 */
export async function chargeAndRecord(
  pool: Pool,
  gift: AcceptedGift,
  { incomePoints, refused }: { incomePoints: number; refused: boolean },
): Promise<boolean> {
  const connection = await pool.getConnection();
  try {
    await connection.query("START TRANSACTION");
    const paid = !refused && (await charge(connection, gift, incomePoints));
    await record(connection, gift, paid ? incomePoints : 0, paid);
    if (paid) await credit(connection, gift.receiverId, incomePoints);
    await connection.query("COMMIT");
    return paid;
  } catch (error) {
    await connection.query("ROLLBACK");
    throw error;
  } finally {
    connection.release();
  }
}

async function charge(connection: PoolConnection, gift: AcceptedGift, incomePoints: number): Promise<boolean> {
  const amount = gift.price * gift.count;
  const [rows] = await connection.execute<RowDataPacket[]>(
    "SELECT current_balance, status FROM t_qiyu_currency_account WHERE user_id = ? FOR UPDATE",
    [gift.senderId],
  );
  const balance = Number(rows[0]?.current_balance ?? 0);
  if (rows[0]?.status !== 1 || balance < amount) return false;
  await connection.execute<ResultSetHeader>(
    `INSERT INTO t_qiyu_currency_trade
       (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points, balance_after)
     VALUES (?, ?, 0, 1, ?, ?, ?, ?)`,
    [gift.senderId, -amount, gift.orderId, gift.receiverId, incomePoints, balance - amount],
  );
  await connection.execute<ResultSetHeader>(
    "UPDATE t_qiyu_currency_account SET current_balance = current_balance - ? WHERE user_id = ?",
    [amount, gift.senderId],
  );
  return true;
}

async function record(
  connection: PoolConnection,
  gift: AcceptedGift,
  incomePoints: number,
  paid: boolean,
): Promise<void> {
  await connection.execute<ResultSetHeader>(
    `INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, reason, income_points,
       content_hash, send_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[gift.orderId, gift.senderId, gift.receiverId, gift.roomId, gift.giftId, gift.count, gift.price],
      ...[paid ? 1 : 0, paid ? null : "balanceShort", incomePoints, gift.contentHash, new Date(gift.acceptedAt)],
    ],
  );
}

/** The last statement of the transaction, so that the row that all senders of a room need is locked briefly. */
async function credit(connection: PoolConnection, anchorId: string, incomePoints: number): Promise<void> {
  await connection.execute<ResultSetHeader>(
    `INSERT INTO t_anchor_income (user_id, earned_points) VALUES (?, ?)
     ON DUPLICATE KEY UPDATE earned_points = earned_points + VALUES(earned_points)`,
    [anchorId, incomePoints],
  );
}
