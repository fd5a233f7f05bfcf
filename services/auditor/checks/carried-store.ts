import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import { storeBucketOf } from "../../wallet-buckets.ts";
import type { Difference } from "../differences.ts";
import { type AllBooks, type NamedBooks, namedBooks } from "./all-books-store.ts";
import { keysAtOnce, rowsOfKeys, tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/** Moves of buckets between servers of ledgers: what left one has arrived at the other. */

/** A row of a ledger whose business id says that a move of a bucket has written it. `type` and `status` are of trades. */
export interface CarriedRow extends Record<"biz_id" | "user_id" | "num", string> {
  readonly type?: number;
  readonly status?: number;
}

/** As t_wallet_bucket_move has it on the home server. */
export interface KnownMove extends Record<"source" | "target", string> {
  readonly bucket: number;
}

/** A row and the name of the server that has it. */
export interface PlacedRow {
  readonly server: string;
  readonly row: CarriedRow;
}

const idForm = /^bucket-(in|out):(\d{1,10}):(\d{1,20})$/;
const oppositeOf = (bizId: string) =>
  bizId.startsWith("bucket-in:") ? bizId.replace("in:", "out:") : bizId.replace("out:", "in:");

/** The number of the move that a business id names; `undefined` where it names none. */
export const moveOf = (bizId: string): number | undefined => {
  const id = idForm.exec(bizId)?.[2];
  return id === undefined ? undefined : Number(id);
};

/** Whether a row may be of this move: whose it is, where it is, and which way its coins went. */
function isOfMove({ server, row }: PlacedRow, move: KnownMove | undefined): boolean {
  const [, side, , user] = idForm.exec(row.biz_id) ?? [];
  const isLeaving = side === "out";
  return (
    user !== undefined &&
    move !== undefined &&
    String(row.user_id) === user &&
    storeBucketOf(user) === Number(move.bucket) &&
    server === (isLeaving ? move.source : move.target) &&
    BigInt(row.num) < 0n === isLeaving &&
    [undefined, 3].includes(row.type === undefined ? undefined : Number(row.type)) &&
    [undefined, 1].includes(row.status === undefined ? undefined : Number(row.status))
  );
}

/**
 * What is wrong with a row that seems to be of a move: nothing, where the home server knows the move, and the one opposite
 * row, on the move's other server, is of the same user and of the same coins. Pure.
 */
export function carriedFault(
  own: PlacedRow,
  move: KnownMove | undefined,
  opposites: readonly PlacedRow[],
): string | undefined {
  if (!isOfMove(own, move)) return "no move of a bucket wrote it";
  const [other, ...more] = opposites;
  const fits = other && more.length === 0 && isOfMove(other, move) && BigInt(other.row.num) === -BigInt(own.row.num);
  if (fits) return undefined;
  const shown = opposites.map(({ server, row }) => `user ${row.user_id}, num ${row.num} at ${server}`).join("; ");
  return `of ${oppositeOf(own.row.biz_id)} there is ${shown || "nothing"}`;
}

async function knownMoves(home: Queryable, ids: readonly number[]): Promise<Map<number, KnownMove>> {
  if (ids.length === 0) return new Map();
  const rows = await home.query<KnownMove & { id: number }>(
    "SELECT id, bucket, source, target FROM t_wallet_bucket_move WHERE id IN (?)",
    [ids],
  );
  return new Map(rows.map((row) => [Number(row.id), row]));
}

/** Rows of a ledger by their business ids. */
type ByIds = (db: Queryable, ids: readonly string[]) => Promise<CarriedRow[]>;

const tradesByIds: ByIds = (db, ids) =>
  db.query<CarriedRow>(
    `SELECT biz_id, user_id, num, type, status FROM ${rowsOfKeys(tradesBook(), "biz_id, user_id, num, type, status")} t`,
    [ids, ids],
  );

const debtsByIds: ByIds = (db, ids) =>
  db.query<CarriedRow>("SELECT biz_id, user_id, num FROM t_wallet_debt WHERE biz_id IN (?)", [ids]);

/** The differences of rows of one server's books, which `db` reads: a second connection might have to wait for it. */
async function faultsOf(
  servers: AllBooks,
  { books, db, rows }: { books: Database; db: Queryable; rows: readonly CarriedRow[] },
  byIds: ByIds,
): Promise<Difference[]> {
  if (rows.length === 0) return [];
  const all = await namedBooks(servers, { books, own: db });
  const own = all.find((one) => one.books === books)?.name ?? "";
  const ids = new Set(rows.flatMap(({ biz_id }) => moveOf(biz_id) ?? []));
  const moves = await knownMoves((all[0] as NamedBooks).db, [...ids]);
  const opposites = new Map<string, PlacedRow[]>();
  const asked = rows.map(({ biz_id }) => oppositeOf(biz_id));
  for (let at = 0; at < asked.length; at += keysAtOnce)
    for (const one of all)
      for (const row of await byIds(one.db, asked.slice(at, at + keysAtOnce)))
        opposites.set(row.biz_id, [...(opposites.get(row.biz_id) ?? []), { server: one.name, row }]);
  return rows
    .flatMap((row): Difference[] => {
      const move = moves.get(moveOf(row.biz_id) ?? -1);
      const fault = carriedFault({ server: own, row }, move, opposites.get(oppositeOf(row.biz_id)) ?? []);
      if (fault === undefined) return [];
      const detail = `user ${row.user_id}, num ${row.num}: ${fault}`;
      return [{ kind: "moveOfBucketDiffers", subject: row.biz_id, detail }];
    })
    .slice(0, limits.books.findingsPerPage);
}

/**
 * The rows of one server's ledgers whose business ids are those of moves, of whatever type: the checks of orders leave them
 * out. While a move is under way coins leave shortly before they arrive.
 */
export function carriedChecks(books: Database, all: AllBooks, everyRow: boolean): Check[] {
  const delayMs = limits.books.underWayMs;
  return [
    bookCheck(books, {
      ...{ name: "moves of buckets", book: tradesBook(), archived: everyRow ? "all" : "parts", delayMs },
      async find(page) {
        const rows = await page.db.query<CarriedRow>(
          `SELECT biz_id, user_id, num, type, status FROM ${page.rows("biz_id, user_id, num, type, status")} t
           WHERE biz_id LIKE 'bucket-%' LIMIT ?`,
          [limits.books.pageRows],
        );
        return faultsOf(all, { books, db: page.db, rows }, tradesByIds);
      },
    }),
    windowCheck(books, {
      ...{ name: "debts of moves of buckets", table: "t_wallet_debt", column: "create_time", rounds: true, delayMs },
      async find(from, to) {
        const rows = await books.query<CarriedRow>(
          "SELECT biz_id, user_id, num FROM t_wallet_debt WHERE id > ? AND id <= ? AND biz_id LIKE 'bucket-%' LIMIT ?",
          [from, to, limits.books.pageRows],
        );
        return faultsOf(all, { books, db: books, rows }, debtsByIds);
      },
    }),
  ];
}
