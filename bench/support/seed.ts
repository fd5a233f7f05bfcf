import { config, databaseName } from "../../config/config.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { SealChains } from "../../mixins/seals/seal-chains.ts";
import { bookKeys } from "../../services/book-keys.ts";
import { sealedLedgers } from "../../services/book-seals.ts";
import { migrationFolders } from "../../services/databases.ts";
import type { TradeRow } from "../../services/wallet/posting.ts";
import { insertTrades } from "../../services/wallet/wallet-store.ts";

const rowsPerStatement = 5_000;
/** The type of a trade that a person made. */
const adjusted = 3;

/** The first id of made-up users, above 2^53 like real ones. */
export const firstSender = 100_000_000_000_000_000n;
export const firstAnchor = 200_000_000_000_000_000n;

export const senderId = (n: number): string => String(firstSender + BigInt(n));
export const anchorId = (room: number): string => String(firstAnchor + BigInt(room));

/** Makes the tables of wallet, gift and platform. */
export async function makeTables(): Promise<void> {
  await migrate(databaseName("platform"), migrationFolders.platform);
  await migrate(databaseName("wallet"), migrationFolders.wallet);
  await migrate(databaseName("gift"), migrationFolders.gift);
}

/** The order of an account's adjustment. */
const bizIdOf = (user: string) => `platform:adjust:seed-${user}`;

/**
 * Makes accounts with `coins` each, and the sealed trade of their adjustment, in a database with the wallet's tables; in
 * the wallet's own, the platform's sealed orders of them too: an auditor finds nothing about them.
 */
export async function seedAccounts(
  database: string,
  count: number,
  userId: (n: number) => string,
  coins: number,
  progress: (line: string) => void,
  url: string = config().MYSQL_URL,
): Promise<void> {
  const db = new Database(database, { url });
  const chains = new SealChains({ service: "wallet", keys: bookKeys("wallet") });
  const orders = new SeededOrders();
  const now = new Date();
  const adjustment = (user: string): TradeRow => {
    const about = { counterpartyId: null, incomePoints: 0, reason: null, balanceAfter: coins };
    return { userId: user, num: coins, type: adjusted, status: 1, bizId: bizIdOf(user), ...about };
  };
  for (let done = 0; done < count; done += rowsPerStatement) {
    const ids = Array.from({ length: Math.min(rowsPerStatement, count - done) }, (_, i) => userId(done + i));
    await chains.transaction(db, async (tx, sealing) => {
      await tx.run(
        "INSERT INTO t_qiyu_currency_account (user_id, current_balance, create_time, update_time) VALUES ?",
        [ids.map((id) => [id, coins, now, now])],
      );
      await insertTrades(tx, ids.map(adjustment), sealing);
    });
    if (database === databaseName("wallet")) await orders.add(ids, coins);
    if ((done / rowsPerStatement) % 10 === 9) progress(`accounts: ${done + ids.length} of ${count}`);
  }
  await db.close();
  await orders.close();
}

/** The platform's orders of the adjustments, done. Nobody carries them out, so none has a signature. */
class SeededOrders {
  private readonly db = new Database(databaseName("platform"));
  private readonly chains = new SealChains({ service: "platform", keys: bookKeys("platform") });

  async add(users: readonly string[], coins: number): Promise<void> {
    const sealed = users.map((user) => [bizIdOf(user), 1, user, coins, 0, "seed"]);
    await this.chains.transaction(this.db, async (tx, sealing) => {
      const time = await sealing.time();
      const { insertId } = await tx.run(
        `INSERT INTO t_money_order (biz_id, kind, user_id, amount, proposed, key_id, signed_order, create_time) VALUES ?`,
        [sealed.map((row) => [...row, "", time])],
      );
      sealing.cover(sealedLedgers.moneyOrders, insertId, sealed, 0n);
      await tx.run(
        `INSERT INTO t_money_state (order_id, state, balance_after, update_time)
         SELECT id, 2, amount, create_time FROM t_money_order WHERE biz_id IN (?)`,
        [users.map(bizIdOf)],
      );
    });
  }

  close(): Promise<void> {
    return this.db.close();
  }
}
