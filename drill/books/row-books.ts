import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue, messageOf } from "../../scripts/stack/wait.ts";

/** What the services' books have of one row of the drill: everything after its start. Read as the administrator. */

const answersMs = 60_000;
const againMs = 250;
const connectMs = 3_000;

export interface RecordRow {
  readonly orderId: string;
  readonly userId: string;
  readonly succeeded: boolean;
  /** When it was settled, Unix ms by the database. */
  readonly settledAt: number;
}

export interface TradeRow {
  readonly id: bigint;
  readonly bizId: string;
  readonly userId: string;
  readonly coins: number;
  /** 0 gift, 1 recharge. */
  readonly type: number;
  readonly succeeded: boolean;
}

/** The last ids before a row of the drill. */
interface Start {
  readonly record: string;
  readonly trade: string;
}

type Row = Record<string, string>;

/** Runs queries on a new connection, again until the database answers: a failover may be under way. */
async function read<T>(work: (query: (sql: string, values?: unknown[]) => Promise<Row[]>) => Promise<T>): Promise<T> {
  let found: { value: T } | undefined;
  let complaint: unknown;
  const attempt = async () => {
    let connection: Connection | undefined;
    try {
      connection = await openConnection(config().MYSQL_URL, {
        ...{ supportBigNumbers: true, bigNumberStrings: true, connectTimeout: connectMs },
      });
      const open = connection;
      found = { value: await work(async (sql, values) => (await open.query(sql, values))[0] as Row[]) };
      return true;
    } catch (error) {
      complaint = error;
      return false;
    } finally {
      connection?.destroy();
    }
  };
  await becomesTrue(attempt, answersMs, againMs);
  if (!found) throw new Error(`the database does not answer: ${messageOf(complaint)}`);
  return found.value;
}

const records = () => `${databaseName("gift")}.t_gift_record`;
const trades = () => `${databaseName("wallet")}.t_qiyu_currency_trade`;
const accounts = () => `${databaseName("wallet")}.t_qiyu_currency_account`;

export class RowBooks {
  private readonly start: Start;

  private constructor(start: Start) {
    this.start = start;
  }

  static async begin(): Promise<RowBooks> {
    return read(async (query) => {
      const last = async (table: string) =>
        (await query(`SELECT COALESCE(MAX(id), 0) AS id FROM ${table}`))[0]?.id ?? "0";
      return new RowBooks({ record: await last(records()), trade: await last(trades()) });
    });
  }

  async settled(): Promise<number> {
    const sql = `SELECT COUNT(*) AS number FROM ${records()} WHERE id > ?`;
    return read(async (query) => Number((await query(sql, [this.start.record]))[0]?.number));
  }

  records(): Promise<RecordRow[]> {
    const sql = `SELECT order_id, user_id, status, ROUND(UNIX_TIMESTAMP(update_time) * 1000) AS settled
      FROM ${records()} WHERE id > ?`;
    return read(async (query) => {
      await query("SET SESSION time_zone = '+00:00'");
      return (await query(sql, [this.start.record])).map((row) => ({
        ...{ orderId: row.order_id as string, userId: String(row.user_id), succeeded: Number(row.status) === 1 },
        settledAt: Number(row.settled),
      }));
    });
  }

  trades(): Promise<TradeRow[]> {
    const sql = `SELECT id, biz_id, user_id, num, type, status FROM ${trades()} WHERE id > ? ORDER BY id`;
    return read(async (query) =>
      (await query(sql, [this.start.trade])).map((row) => ({
        ...{ id: BigInt(row.id as string), bizId: row.biz_id as string, userId: String(row.user_id) },
        ...{ coins: Number(row.num), type: Number(row.type), succeeded: Number(row.status) === 1 },
      })),
    );
  }

  /** Accounts and rows of the row's trades with a balance below zero. */
  async overdrafts(): Promise<number> {
    const sql = `SELECT (SELECT COUNT(*) FROM ${accounts()} WHERE current_balance < 0) +
      (SELECT COUNT(*) FROM ${trades()} WHERE id > ? AND balance_after < 0) AS number`;
    return read(async (query) => Number((await query(sql, [this.start.trade]))[0]?.number));
  }
}
