import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import { archivedTrades } from "../../archived-tables.ts";
import { usersWithCoins } from "./carry-store.ts";

/** SQL of what users have on a server that their bucket has left. */

/** Users of a bucket with something on a server that is not theirs. */
export interface Strays {
  readonly users: string[];
  /** Whether there may be more. */
  readonly isCut: boolean;
}

const { table } = archivedTrades;

/**
 * Looks on a server that the bucket left at a time (`undefined`: it was never there) for users with coins or a debt, and for
 * hot rows since then, by the server's clock. Of a bucket with very many accounts the rows are not looked for.
 */
export async function straysOf(db: Queryable, bucket: number, leftAt: Date | undefined): Promise<Strays> {
  const { repairUsersShown: shown, repairAccounts } = limits.wallet;
  const users = new Set(await usersWithCoins(db, { bucket, above: "0", limit: shown + 1 }));
  const accounts = await db.query(
    "SELECT user_id FROM t_qiyu_currency_account WHERE store_bucket = ? ORDER BY user_id LIMIT ?, 1",
    [bucket, repairAccounts],
  );
  const isLarge = accounts.length > 0;
  if (!isLarge) {
    const from = leftAt ? await firstIdSince(db, { table, column: "create_time" }, leftAt) : 0n;
    const rows = await db.query<{ user_id: string }>(
      `SELECT a.user_id FROM t_qiyu_currency_account a WHERE a.store_bucket = ? AND EXISTS
         (SELECT 1 FROM ${table} t WHERE t.user_id = a.user_id AND t.id >= ? AND t.biz_id NOT LIKE 'bucket-%')
       ORDER BY a.user_id LIMIT ?`,
      [bucket, String(from), shown + 1],
    );
    for (const { user_id } of rows) users.add(String(user_id));
  }
  return { users: [...users].slice(0, shown), isCut: isLarge || users.size > shown };
}
