import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";

/**
 * Keeps the wallet from settling anything of these users until `release` is called: their accounts are locked by a
 * transaction of the test. What only reads, as acceptance does, goes on.
 */
export async function holdAccounts(userIds: readonly string[]): Promise<{ release(): Promise<void> }> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  await connection.beginTransaction();
  await connection.query("SELECT 1 FROM t_qiyu_currency_account WHERE user_id IN (?) FOR UPDATE", [userIds]);
  return {
    release: async () => {
      await connection.rollback();
      await connection.end();
    },
  };
}
