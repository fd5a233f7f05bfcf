import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../services/databases.ts";

const rowsPerStatement = 5_000;

/** The first id of made-up users, above 2^53 like real ones. */
export const firstSender = 100_000_000_000_000_000n;
export const firstAnchor = 200_000_000_000_000_000n;

export const senderId = (n: number): string => String(firstSender + BigInt(n));
export const anchorId = (room: number): string => String(firstAnchor + BigInt(room));

/** Makes the tables of wallet and gift. */
export async function makeTables(): Promise<void> {
  await migrate(databaseName("wallet"), migrationFolders.wallet);
  await migrate(databaseName("gift"), migrationFolders.gift);
}

/** Makes accounts with `coins` each, and the trade of their recharge, in a database with the wallet's tables. */
export async function seedAccounts(
  database: string,
  count: number,
  userId: (n: number) => string,
  coins: number,
  progress: (line: string) => void,
): Promise<void> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database });
  const now = new Date();
  for (let done = 0; done < count; done += rowsPerStatement) {
    const ids = Array.from({ length: Math.min(rowsPerStatement, count - done) }, (_, i) => userId(done + i));
    await connection.query(
      "INSERT INTO t_qiyu_currency_account (user_id, current_balance, total_charged, create_time, update_time) VALUES ?",
      [ids.map((id) => [id, coins, coins, now, now])],
    );
    await connection.query(
      `INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after, create_time, update_time)
       VALUES ?`,
      [ids.map((id) => [id, coins, 1, 1, `seed-${id}`, coins, now, now])],
    );
    if ((done / rowsPerStatement) % 10 === 9) progress(`accounts: ${done + ids.length} of ${count}`);
  }
  await connection.end();
}
