import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import { lastId } from "./day-parts.ts";
import { userPageEnd } from "./windows-store.ts";

/** Accounts against the rows of their users. Each statement reads as of one moment. */

const accounts = "t_qiyu_currency_account";

interface Sums extends Record<"user_id" | "current_balance" | "total_charged" | "debt", string> {
  /** The sums of the valid hot rows and of the recharges among them, with a comma. */
  sums: string | null;
  archived: string | null;
  archived_charged: string | null;
  owed: string | null;
}

/** The same whatever the user does meanwhile, and for each check of balances. */
const by = (is: string | bigint, rows: string | bigint) => `by ${BigInt(is) - BigInt(rows)}`;

function problemsOf(row: Sums): Difference[] {
  const subject = `account ${row.user_id}`;
  const [balance = "0", charged = "0"] = (row.sums ?? "0,0").split(",");
  const withArchived = (hot: string, archived: string | null) => String(BigInt(hot) + BigInt(archived ?? 0));
  const compared = [
    ["balanceDiffers", row.current_balance, withArchived(balance, row.archived)],
    ["chargedDiffers", row.total_charged, withArchived(charged, row.archived_charged)],
    ["debtDiffers", row.debt, row.owed ?? "0"],
  ] as const;
  return compared.flatMap(([kind, account, rows]) =>
    BigInt(account) === BigInt(rows)
      ? []
      : [{ kind, subject, detail: `the account has ${account}, its rows ${rows}`, measure: by(account, rows) }],
  );
}

/**
 * Balance, total_charged and debt of every account (of those that changed since a time) against the sums of its rows:
 * the hot ones, and what t_trade_archive_sum has of the others, which is compared with them by itself.
 */
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
           s.num AS archived, s.charged AS archived_charged,
           (SELECT SUM(d.num) FROM t_wallet_debt d WHERE d.user_id = a.user_id) AS owed
         FROM t_qiyu_currency_account a LEFT JOIN t_trade_archive_sum s ON s.user_id = a.user_id
         WHERE a.user_id > ? AND a.user_id <= ? ${since ? "AND a.update_time >= ?" : ""}`,
        [from, end ?? String(lastId), ...(since ? [since] : [])],
      );
      const differences = rows.flatMap(problemsOf).slice(0, limits.books.findingsPerPage);
      return { rows: rows.length, differences, next: end };
    },
  };
}

/**
 * The accounts of new rows: the balance is what the user's last row left. Of users whose rows are all archived the check of
 * archive sums compares it.
 */
export function activeAccountsCheck(books: Database): Check {
  return bookCheck(books, {
    ...{ name: "balances after the last rows", book: tradesBook(), archived: "none" },
    async find({ db, rows: trades }) {
      const rows = await db.query<{ user_id: string; current_balance: string | null; after: string }>(
        `SELECT l.user_id, a.current_balance, t.balance_after AS after
         FROM (SELECT n.user_id, (SELECT MAX(id) FROM t_qiyu_currency_trade WHERE user_id = n.user_id) AS id
               FROM (SELECT DISTINCT user_id FROM ${trades("user_id")} w) n) l
         JOIN t_qiyu_currency_trade t ON t.id = l.id
         LEFT JOIN t_qiyu_currency_account a ON a.user_id = l.user_id
         WHERE a.user_id IS NULL OR a.current_balance <> t.balance_after LIMIT ?`,
        [limits.books.findingsPerPage],
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
type Left = Record<"user_id" | "balance_after", string>;

const lastIn = (table: string) =>
  `SELECT t.user_id, t.balance_after
   FROM (SELECT user_id, MAX(id) AS id FROM ${table} WHERE user_id IN (?) AND id <= ? GROUP BY user_id) l
   JOIN ${table} t ON t.id = l.id`;

/**
 * The last rows of users up to an id, by user: what their accounts had before a page. Where no hot row is the last one,
 * t_trade_archive_sum has it, or else, before a page of archived rows, the archive itself.
 */
async function balancesAt(db: Queryable, users: readonly string[], id: string): Promise<Map<string, bigint>> {
  const left = new Map<string, bigint>();
  const add = (rows: readonly Left[]) => {
    for (const row of rows) left.set(String(row.user_id), BigInt(row.balance_after));
  };
  const others = () => users.filter((user) => !left.has(user));
  const { archive, hot } = tradesBook();
  if (users.length > 0) add(await db.query<Left>(lastIn(hot), [users, id]));
  if (others().length === 0) return left;
  const sums = await db.query<Left & { last_id: string }>(
    "SELECT user_id, last_balance AS balance_after, last_id FROM t_trade_archive_sum WHERE user_id IN (?)",
    [others()],
  );
  const isBefore = ({ last_id }: { last_id: string }) => BigInt(last_id) <= BigInt(id);
  add(sums.filter(isBefore));
  const later = sums.filter((row) => !isBefore(row)).map(({ user_id }) => String(user_id));
  if (later.length > 0) add(await db.query<Left>(lastIn(archive), [later, id]));
  return left;
}

/**
 * New rows against the row of their user before them: it left what this one begins with. The wallet takes the balance
 * of the account as it is, so a balance that was set by hand is in the next row, and the account agrees with that.
 */
export function continuityCheck(books: Database): Check {
  const check = bookCheck(books, {
    ...{ name: "balances from row to row", book: tradesBook(), archived: "all" },
    async find({ db, rows: trades }, { from }) {
      const rows = await db.query<Moved>(
        `SELECT id, user_id, balance_after, IF(status = 1, num, 0) AS moved
         FROM ${trades("id, user_id, balance_after, status, num")} t ORDER BY id LIMIT ?`,
        [limits.books.pageRows],
      );
      const users = [...new Set(rows.map(({ user_id }) => String(user_id)))];
      const left = await balancesAt(db, users, String(from));
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
