import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../services/databases.ts";

const rowsPerStatement = 5_000;

/** Sender ids, beyond 2^53 as in earnest. */
export const senderId = (n: number): string => String(100_000_000_000_000_000n + BigInt(n));
export const anchorId = (room: number): string => String(200_000_000_000_000_000n + BigInt(room));

/** Makes the tables, and `count` accounts from number `first` with `coins` each and the recharge that brought them. */
export async function seedAccounts(
  count: number,
  coins: number,
  progress: (line: string) => void,
  first = 0,
): Promise<void> {
  await migrate(databaseName("wallet"), migrationFolders.wallet);
  await migrate(databaseName("gift"), migrationFolders.gift);
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  const now = new Date();
  for (let done = 0; done < count; done += rowsPerStatement) {
    const ids = Array.from({ length: Math.min(rowsPerStatement, count - done) }, (_, i) => senderId(first + done + i));
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
