import { limits } from "../../../config/limits.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { type AllBooks, type NamedBooks, namedBooks } from "./all-books-store.ts";
import { tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import {
  type ById,
  debtsById,
  debtsOf,
  type HeldPart,
  heldByGift,
  heldOf,
  hotTradesById,
  type IdRow,
  inParts,
  postingsById,
  postingsOf,
  tradesById,
  tradesOf,
} from "./two-servers-store.ts";
import { windowCheck } from "./windows-store.ts";

/**
 * One business id on two servers: a unique key is of one server alone. The ids of each server's new rows are asked of the
 * others, by index, and in a pass those of all rows that are not archived. New gifts are asked of hot rows alone, since an
 * archive costs a look into each segment; archived rows, a part of them each day, are asked of everything.
 */

/** A row and the name of the server that has it. */
interface OnServer<Row> {
  readonly server: string;
  readonly row: Row;
}

const gift = 0;
const payout = 3;

/** What is wrong with rows of one business id, which are on two servers or more. Pure. */
function differenceOfTwo(all: readonly OnServer<IdRow>[], ledger: "coins" | "debts" | "income"): Difference {
  const ordered = all.toSorted((a, b) => (a.server < b.server ? -1 : 1));
  const isPaid = ({ row }: OnServer<IdRow>) => Number(row.type) === payout && Number(row.status) === 1;
  const isPaidTwice = ledger === "income" && ordered.filter(isPaid).length > 1;
  const shown = ordered.map(
    ({ server, row: { user_id, num, type, status } }) =>
      `user ${user_id}, num ${num}, type ${type}, status ${status} at ${server}`,
  );
  return {
    kind: isPaidTwice ? "paidTwice" : "idOnTwoServers",
    subject: `${ledger} ${ordered[0]?.row.biz_id}`,
    detail: shown.join("; "),
  };
}

/** Whether two parts have a coin of one gift in common. */
function haveOneCoin(a: HeldPart, b: HeldPart): boolean {
  const end = ({ coins_from, coins }: HeldPart) => BigInt(coins_from) + BigInt(coins);
  return a.gift_biz_id === b.gift_biz_id && BigInt(a.coins_from) < end(b) && BigInt(b.coins_from) < end(a);
}

/** The rows that other servers have of the ids of these. */
async function elsewhere(own: NamedBooks, all: readonly NamedBooks[], rows: readonly IdRow[], byId: ById) {
  const found = new Map<string, OnServer<IdRow>[]>();
  const ids = rows.map(({ biz_id }) => biz_id);
  for (const { name, db } of all.filter((one) => one.books !== own.books))
    for (const row of await inParts(ids, (part) => byId(db, part)))
      found.set(row.biz_id, [...(found.get(row.biz_id) ?? []), { server: name, row }]);
  return found;
}

/** The differences of rows of one server, which a page has read. */
async function twice(
  own: NamedBooks,
  all: readonly NamedBooks[],
  { rows, byId, ledger }: { rows: readonly IdRow[]; byId: ById; ledger: Parameters<typeof differenceOfTwo>[1] },
): Promise<Difference[]> {
  const found = await elsewhere(own, all, rows, byId);
  return rows
    .flatMap((row): Difference[] => {
      const others = found.get(row.biz_id);
      return others ? [differenceOfTwo([{ server: own.name, row }, ...others], ledger)] : [];
    })
    .slice(0, limits.books.findingsPerPage);
}

/** The checks of one server's rows against those of the others; `at` is its name. */
export function onTwoServersChecks(books: Database, servers: AllBooks, at: string, everyRow: boolean): Check[] {
  const named = async (db: NamedBooks["db"] = books) => {
    const all = await namedBooks(servers, { books, own: db });
    return { all, own: all.find((one) => one.books === books) as NamedBooks };
  };
  const window = { column: "create_time", rounds: true };
  return [
    bookCheck(books, {
      ...{ name: `business ids of coins at ${at}`, book: tradesBook(), archived: everyRow ? "all" : "parts" },
      async find(page) {
        const { own, all } = await named(page.db);
        const rows = await tradesOf(page);
        const isHot = (row: IdRow) => page.near === undefined && Number(row.type) === gift;
        return [
          ...(await twice(own, all, { rows: rows.filter(isHot), byId: hotTradesById, ledger: "coins" })),
          ...(await twice(own, all, { rows: rows.filter((row) => !isHot(row)), byId: tradesById, ledger: "coins" })),
        ].slice(0, limits.books.findingsPerPage);
      },
    }),
    windowCheck(books, {
      ...{ ...window, name: `business ids of debts at ${at}`, table: "t_wallet_debt" },
      async find(from, to) {
        const { own, all } = await named();
        return twice(own, all, { rows: await debtsOf(books, from, to), byId: debtsById, ledger: "debts" });
      },
    }),
    windowCheck(books, {
      ...{ ...window, name: `business ids of income at ${at}`, table: "t_income_posting" },
      async find(from, to) {
        const { own, all } = await named();
        return twice(own, all, { rows: await postingsOf(books, from, to), byId: postingsById, ledger: "income" });
      },
    }),
    windowCheck(books, {
      ...{ ...window, name: `coins of held gifts at ${at}`, table: "t_income_hold_gift" },
      async find(from, to) {
        const { own, all } = await named();
        const rows = await heldOf(books, from, to);
        const gifts = [...new Set(rows.map(({ gift_biz_id }) => gift_biz_id))];
        const others: OnServer<HeldPart>[] = [];
        for (const { name, db } of all.filter((one) => one !== own))
          for (const row of await inParts(gifts, (part) => heldByGift(db, part))) others.push({ server: name, row });
        return rows
          .flatMap((row): Difference[] => {
            const other = others.find((one) => haveOneCoin(one.row, row));
            if (!other) return [];
            const holds = [`${row.hold_biz_id} at ${own.name}`, `${other.row.hold_biz_id} at ${other.server}`].sort();
            const detail = `coins of gift order ${row.gift_biz_id} are held by ${holds.join(" and by ")}`;
            return [{ kind: "holdDiffers", subject: `gift order ${row.gift_biz_id}`, detail }];
          })
          .slice(0, limits.books.findingsPerPage);
      },
    }),
  ];
}
