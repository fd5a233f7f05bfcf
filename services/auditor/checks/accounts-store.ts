import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import type { Check } from "./check.ts";
import { userPageEnd, windowCheck } from "./windows-store.ts";

/** Accounts against the rows of their users. Each statement reads as of one moment. */

const accounts = "t_qiyu_currency_account";
const lastUser = "18446744073709551615";

interface Sums extends Record<"user_id" | "current_balance" | "total_charged" | "debt", string> {
  /** The sums of the valid rows and of the recharges among them, with a comma. */
  sums: string | null;
  owed: string | null;
}

/** The same whatever the user does meanwhile, and for each check of balances. */
const by = (is: string | bigint, rows: string | bigint) => `by ${BigInt(is) - BigInt(rows)}`;

function problemsOf(row: Sums): Difference[] {
  const subject = `account ${row.user_id}`;
  const [balance = "0", charged = "0"] = (row.sums ?? "0,0").split(",");
  const compared = [
    ["balanceDiffers", row.current_balance, balance],
    ["chargedDiffers", row.total_charged, charged],
    ["debtDiffers", row.debt, row.owed ?? "0"],
  ] as const;
  return compared.flatMap(([kind, account, rows]) =>
    BigInt(account) === BigInt(rows)
      ? []
      : [{ kind, subject, detail: `the account has ${account}, its rows ${rows}`, measure: by(account, rows) }],
  );
}

/** Balance, total_charged and debt of every account (of those that changed since a time) against the sums of its rows. */
export function balancesCheck(db: Queryable): Check {
  return {
    ...{ name: "balances", rounds: false, passes: true },
    async range(since) {
      return { from: "0", ...(since && { since }) };
    },
    async page({ from, since }) {
      const end = await userPageEnd(db, accounts, from);
      const rows = await db.query<Sums>(
        `SELECT a.user_id, a.current_balance, a.total_charged, a.debt,
           (SELECT CONCAT(SUM(IF(t.status = 1, t.num, 0)), ',', SUM(IF(t.status = 1 AND t.type = 1, t.num, 0)))
            FROM t_qiyu_currency_trade t WHERE t.user_id = a.user_id) AS sums,
           (SELECT SUM(d.num) FROM t_wallet_debt d WHERE d.user_id = a.user_id) AS owed
         FROM t_qiyu_currency_account a WHERE a.user_id > ? AND a.user_id <= ? ${since ? "AND a.update_time >= ?" : ""}`,
        [from, end ?? lastUser, ...(since ? [since] : [])],
      );
      const differences = rows.flatMap(problemsOf).slice(0, limits.books.findingsPerPage);
      return { rows: rows.length, differences, next: end };
    },
  };
}

/** The accounts of new rows: the balance is what the user's last row left. */
export function activeAccountsCheck(db: Queryable): Check {
  return windowCheck(db, {
    ...{ name: "balances after the last rows", table: "t_qiyu_currency_trade", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<{ user_id: string; current_balance: string | null; after: string }>(
        `SELECT l.user_id, a.current_balance, t.balance_after AS after
         FROM (SELECT n.user_id, (SELECT MAX(id) FROM t_qiyu_currency_trade WHERE user_id = n.user_id) AS id
               FROM (SELECT DISTINCT user_id FROM t_qiyu_currency_trade WHERE id > ? AND id <= ?) n) l
         JOIN t_qiyu_currency_trade t ON t.id = l.id
         LEFT JOIN t_qiyu_currency_account a ON a.user_id = l.user_id
         WHERE a.user_id IS NULL OR a.current_balance <> t.balance_after LIMIT ?`,
        [from, to, limits.books.findingsPerPage],
      );
      return rows.map(({ user_id, current_balance, after }): Difference => {
        const subject = `account ${user_id}`;
        if (current_balance === null) return { kind: "accountMissing", subject, detail: "it has rows in the ledger" };
        const detail = `the account has ${current_balance}, its last row left ${after}`;
        return { kind: "balanceDiffers", subject, detail, measure: by(current_balance, after) };
      });
    },
  });
}

interface Moved extends Record<"id" | "user_id" | "balance_after" | "moved", string> {}

/** The last rows of users up to an id, by user: what their accounts had before a page. */
async function balancesAt(db: Queryable, users: readonly string[], id: string): Promise<Map<string, bigint>> {
  if (users.length === 0) return new Map();
  const rows = await db.query<{ user_id: string; balance_after: string }>(
    `SELECT t.user_id, t.balance_after
     FROM (SELECT user_id, MAX(id) AS id FROM t_qiyu_currency_trade WHERE user_id IN (?) AND id <= ? GROUP BY user_id) l
     JOIN t_qiyu_currency_trade t ON t.id = l.id`,
    [users, id],
  );
  return new Map(rows.map((row) => [String(row.user_id), BigInt(row.balance_after)]));
}

/**
 * New rows against the row of their user before them: it left what this one begins with. The wallet takes the balance
 * of the account as it is, so a balance that was set by hand is in the next row, and the account agrees with that.
 */
export function continuityCheck(db: Queryable): Check {
  const check = windowCheck(db, {
    ...{ name: "balances from row to row", table: "t_qiyu_currency_trade", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await db.query<Moved>(
        `SELECT id, user_id, balance_after, IF(status = 1, num, 0) AS moved
         FROM t_qiyu_currency_trade WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
        [from, to, limits.books.pageRows],
      );
      const left = await balancesAt(db, [...new Set(rows.map(({ user_id }) => String(user_id)))], from);
      const differences: Difference[] = [];
      for (const { id, user_id, balance_after, moved } of rows) {
        const [user, after] = [String(user_id), BigInt(balance_after)];
        const before = left.get(user) ?? 0n;
        left.set(user, after);
        if (after === before + BigInt(moved) || differences.length >= limits.books.findingsPerPage) continue;
        const detail = `row ${id} of t_qiyu_currency_trade left ${after}, after ${before} and a row of ${moved}`;
        const measure = by(after, before + BigInt(moved));
        differences.push({ kind: "balanceDiffers", subject: `account ${user}`, detail, measure });
      }
      return differences;
    },
  });
  // A pass compares each account with the sum of all its rows.
  return { ...check, passes: false };
}
