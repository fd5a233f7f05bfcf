import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import type { Difference } from "../differences.ts";
import { tradesBook } from "./book-rows-store.ts";
import type { Check } from "./check.ts";
import { dueParts, lastId } from "./day-parts.ts";
import { countedRows, storedSegments } from "./segments-store.ts";
import { userPageEnd } from "./windows-store.ts";

/** t_trade_archive_sum, what of each user's trades is in the archive, against the archived rows and the segments. */

const sums = "t_trade_archive_sum";

/** All sums together against all segments: what of each is moved. */
async function totalProblem(db: Queryable): Promise<Difference[]> {
  const [row] = await db.query<Record<"trades" | "num", string | null>>(
    `SELECT CAST(SUM(trades) AS CHAR) AS trades, CAST(SUM(num) AS CHAR) AS num FROM ${sums}`,
  );
  let [rows, coins] = [0n, 0n];
  for (const { from, to, movedTo, sealed } of await storedSegments(db, archivedTrades)) {
    if (movedTo <= from) continue;
    const places = { hotFrom: null, archivedTo: movedTo };
    const moved =
      movedTo === to && sealed
        ? sealed.count
        : await countedRows(db, archivedTrades, { from: from - 1n, to: movedTo - 1n }, places);
    rows += moved.rows;
    coins += moved.sum;
  }
  const [trades, num] = [BigInt(row?.trades ?? 0), BigInt(row?.num ?? 0)];
  if (trades === rows && num === coins) return [];
  const detail = `${trades} trades with the sum ${num}; archived by the segments: ${rows} with ${coins}`;
  return [{ kind: "archiveSumDiffers", subject: sums, detail }];
}

interface SumRow extends Record<"user_id" | "trades" | "num" | "charged" | "last_id" | "last_balance", string> {
  current_balance: string | null;
  /** The account's balance counts where no row is hot. */
  has_hot: number;
}

interface ArchivedRow extends Record<"user_id" | "trades" | "num" | "charged" | "last_id" | "last_balance", string> {}

const shown = ({ trades, num, charged, last_id, last_balance }: Omit<ArchivedRow, "user_id">) =>
  `${trades} trades, sum ${num}, recharges ${charged}, the last one ${last_id} left ${last_balance}`;

/** What the archive has of these users, read by its index on users. */
async function archivedOf(db: Queryable, users: readonly string[]): Promise<Map<string, ArchivedRow>> {
  if (users.length === 0) return new Map();
  const { archive } = tradesBook();
  const rows = await db.query<ArchivedRow>(
    `SELECT s.user_id, s.trades, CAST(s.num AS CHAR) AS num, CAST(s.charged AS CHAR) AS charged, s.last_id,
       t.balance_after AS last_balance
     FROM (SELECT user_id, COUNT(*) AS trades, SUM(IF(status = 1, num, 0)) AS num,
         SUM(IF(status = 1 AND type = 1, num, 0)) AS charged, MAX(id) AS last_id
       FROM ${archive} WHERE user_id IN (?) GROUP BY user_id) s JOIN ${archive} t ON t.id = s.last_id`,
    [users],
  );
  return new Map(rows.map((row) => [String(row.user_id), row]));
}

function problemsOf(row: SumRow, archived: ArchivedRow | undefined, isCompared: boolean): Difference[] {
  const subject = `account ${row.user_id}`;
  const differences: Difference[] = [];
  if (isCompared && (!archived || shown(archived) !== shown(row))) {
    const detail = `${sums}: ${shown(row)}; the archive: ${archived ? shown(archived) : "nothing"}`;
    differences.push({ kind: "archiveSumDiffers", subject, detail });
  }
  if (row.current_balance === null)
    differences.push({ kind: "accountMissing", subject, detail: "it has archived rows in the ledger" });
  else if (Number(row.has_hot) === 0 && row.current_balance !== row.last_balance) {
    const detail = `the account has ${row.current_balance}, its last row left ${row.last_balance}`;
    const measure = `by ${BigInt(row.current_balance) - BigInt(row.last_balance)}`;
    differences.push({ kind: "balanceDiffers", subject, detail, measure });
  }
  return differences;
}

/**
 * The sums together each time, and each user's against her archived rows: of a part of the users each day, unless
 * `everyRow`. Of who has no hot row, the account has what her last archived row left.
 */
export function archiveSumsCheck(books: Database, everyRow: boolean): Check {
  return {
    ...{ name: "sums of archived trades", rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "0" };
    },
    page: ({ from }) =>
      books.snapshot(async (db) => {
        const total = from === "0" ? await totalProblem(db) : [];
        const end = await userPageEnd(db, sums, from);
        const rows = await db.query<SumRow>(
          `SELECT s.user_id, s.trades, s.num, s.charged, s.last_id, s.last_balance, a.current_balance,
             EXISTS (SELECT 1 FROM t_qiyu_currency_trade t WHERE t.user_id = s.user_id) AS has_hot
           FROM ${sums} s LEFT JOIN t_qiyu_currency_account a ON a.user_id = s.user_id
           WHERE s.user_id > ? AND s.user_id <= ?`,
          [from, end ?? String(lastId)],
        );
        const due = dueParts();
        const isCompared = ({ user_id }: SumRow) =>
          everyRow || due.has(Number(BigInt(user_id) % BigInt(limits.books.closedRowsDays)));
        const archived = await archivedOf(
          db,
          rows.filter(isCompared).map(({ user_id }) => String(user_id)),
        );
        const differences = rows.flatMap((row) => problemsOf(row, archived.get(String(row.user_id)), isCompared(row)));
        return {
          rows: rows.length,
          differences: [...total, ...differences].slice(0, limits.books.findingsPerPage),
          next: end,
        };
      }),
  };
}
