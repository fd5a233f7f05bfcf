import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { bucketPrefixes } from "../business-ids.ts";

/** SQL of the accounts of a bucket on its way from one server to another, and of the postings of the move. */

/** store_bucket is made by scripts/add-servers.ts, beside an index. */
const inBucket = "FROM t_qiyu_currency_account WHERE store_bucket = ?";

export async function hasAccounts(source: Queryable, bucket: number): Promise<boolean> {
  return (await source.query(`SELECT 1 AS one ${inBucket} LIMIT 1`, [bucket])).length > 0;
}

/** A part of a bucket's accounts, above a user id. */
interface Part {
  readonly bucket: number;
  readonly above: string;
  readonly limit: number;
}

/** The users of a bucket with a balance or a debt. */
export async function usersWithCoins(source: Queryable, { bucket, above, limit }: Part): Promise<string[]> {
  const rows = await source.query<{ user_id: string }>(
    `SELECT user_id ${inBucket} AND user_id > ? AND (current_balance <> 0 OR debt <> 0) ORDER BY user_id LIMIT ?`,
    [bucket, above, limit],
  );
  return rows.map(({ user_id }) => String(user_id));
}

/** The accounts of a bucket that are frozen or closed. */
export async function unusualStatuses(source: Queryable, { bucket, above, limit }: Part) {
  const rows = await source.query<{ user_id: string; status: number }>(
    `SELECT user_id, status ${inBucket} AND user_id > ? AND status <> 1 ORDER BY user_id LIMIT ?`,
    [bucket, above, limit],
  );
  return rows.map(({ user_id, status }) => ({ userId: String(user_id), status: Number(status) }));
}

const { table: trades, archive: archivedOnes } = archivedTrades;

/** Where a move's postings of coins and of debts are: archived ones too, where it was left for months. */
const ledgers = { coins: [trades, archivedOnes], debts: ["t_wallet_debt"] } as const;
export type CarriedLedger = keyof typeof ledgers;
export const carriedLedgers = Object.keys(ledgers) as CarriedLedger[];

export interface Carried {
  readonly bizId: string;
  readonly userId: string;
  readonly num: number;
}

/** The postings of a move whose ids begin with `prefix`, above an id, in the order of their ids. */
export async function carriedAbove(
  db: Queryable,
  ledger: CarriedLedger,
  prefix: string,
  above: string,
  limit: number,
): Promise<Carried[]> {
  const parts = ledgers[ledger].map(
    (table) => `(SELECT biz_id, user_id, num FROM ${table} WHERE biz_id LIKE ? AND biz_id > ? ORDER BY biz_id LIMIT ?)`,
  );
  const rows = await db.query<{ biz_id: string; user_id: string; num: string }>(
    `${parts.join(" UNION ALL ")} ORDER BY biz_id LIMIT ?`,
    [...parts.flatMap(() => [`${prefix}%`, above, limit]), limit],
  );
  return rows.map(({ biz_id, user_id, num }) => ({
    ...{ bizId: biz_id, userId: String(user_id), num: toSafeInteger(num) },
  }));
}

/**
 * A posting of a move that is not among these; `undefined` where there is none. Each ledger is asked, by its index, once
 * for each move of which it has postings.
 */
export async function postingOfOther(db: Queryable, moves: ReadonlySet<string>): Promise<Carried | undefined> {
  for (const ledger of carriedLedgers)
    for (const prefix of bucketPrefixes)
      for (let above = prefix as string; ; ) {
        const [first] = await carriedAbove(db, ledger, prefix, above, 1);
        if (!first) break;
        const move = first.bizId.slice(prefix.length).split(":", 1)[0] as string;
        if (!moves.has(move)) return first;
        // Beyond all users, whose ids are digits.
        above = `${prefix}${move}:~`;
      }
  return undefined;
}
