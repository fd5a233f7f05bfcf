import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";
import {
  incomesAfter,
  incomesOf,
  isStaffMoveKept,
  type KnownOrder,
  keptPlatformOrders,
  type OrderedRow,
  orderedPayouts,
  orderedRows,
  paidOrders,
  platformOrders,
  settledOrders,
} from "./elsewhere-store.ts";
import { windowCheck } from "./windows-store.ts";

/**
 * What concerns several servers of ledgers (services/wallet-servers.ts): orders are on the home server and their coins on
 * that of the user; a move of a bucket leaves one server and arrives at another; an anchor earns on all of them.
 */

/** What a difference of the home server is about, without the word before it. */
const nameOf = ({ subject }: Difference) => subject.replace(/^(order |move s)/, "");

/** The differences that are none, since another server has what is missing. */
async function explained(
  differences: readonly Difference[],
  home: Queryable,
  all: readonly Queryable[],
): Promise<ReadonlySet<Difference>> {
  const of = (...kinds: Difference["kind"][]) => differences.filter(({ kind }) => kinds.includes(kind));
  const [orders, ofPlatform] = [of("orderNotCredited", "refundNotTaken"), of("platformOrderDiffers")];
  const settled = await settledOrders(home, all, orders.map(nameOf));
  const kept = await keptPlatformOrders(home, all, ofPlatform.map(nameOf));
  const found = new Set([
    ...orders.filter((one) => settled.has(nameOf(one))),
    ...ofPlatform.filter((one) => kept.has(nameOf(one))),
  ]);
  for (const one of of("moveDiffers"))
    if (one.subject.startsWith("move ") && (await isStaffMoveKept(home, all, nameOf(one)))) found.add(one);
  return found;
}

/**
 * A check of the home server's books that misses what is in the ledgers of others: it is looked for there. The check must
 * find all that it misses of a page, or what is missing everywhere might not be among it.
 */
export function lookingElsewhere(check: Check, home: Queryable, all: readonly Queryable[]): Check {
  return {
    ...check,
    range: (since) => check.range(since),
    async page(range) {
      const page = await check.page(range);
      const found = await explained(page.differences, home, all);
      const left = page.differences.filter((one) => !found.has(one));
      return { ...page, differences: left.slice(0, limits.books.findingsPerPage) };
    },
  };
}

/** Of archived rows a part each day, or all of them. */
const ledgerOf = (everyRow: boolean) => ({ book: tradesBook(), archived: everyRow ? "all" : "parts" }) as const;

/** The order of a row, of the platform or of the payment service. */
const orderOf = ({ biz_id }: OrderedRow) => biz_id.replace(/^(refund|debt):/, "");
const isOfPlatform = (row: OrderedRow) => row.type === 3 || orderOf(row).startsWith("platform:");

/** What is wrong with a row of a ledger; the rules are those of payments-store.ts and platform-orders-store.ts. */
export function wrongWith(row: OrderedRow, order: KnownOrder | undefined): Difference["kind"] | undefined {
  const [type, status] = [Number(row.type), Number(row.status)];
  const isDebtPaid = row.biz_id.startsWith("debt:");
  const debtFits = row.debt !== null && BigInt(row.debt) === BigInt(row.num);
  const state = Number(order?.state);
  const isOwners = order !== undefined && order.state !== null && String(order.user_id) === String(row.user_id);
  if (isOfPlatform(row)) {
    const kind = type === 3 ? "adjustmentWithoutOrder" : type === 2 ? "debtDiffers" : "creditWithoutOrder";
    if (!isOwners || ![1, status === 1 ? 2 : 3].includes(state)) return kind;
    if (type === 2) return isDebtPaid && debtFits ? undefined : kind;
    const fits = BigInt(order.amount) === BigInt(row.num) && Number(order.kind) === (type === 1 ? 0 : 1);
    return fits ? undefined : kind;
  }
  const kind = type === 1 ? "creditWithoutOrder" : isDebtPaid ? "debtDiffers" : "refundWithoutOrder";
  if (!isOwners || ![2, 5].includes(state)) return kind;
  if (type === 1) return BigInt(order.amount) === BigInt(row.num) && status === 1 ? undefined : kind;
  if (isDebtPaid) return debtFits ? undefined : kind;
  return state === 5 ? undefined : kind;
}

function detailOf(user: string, num: string, order: KnownOrder | undefined): string {
  const shown = order
    ? `order: user ${order.user_id}, amount ${order.amount}, state ${order.state}`
    : "there is no such order";
  return `ledger: user ${user}, num ${num}; ${shown}`;
}

/** Credits, refunds and adjustments of a further server's ledger against the orders on the home server. */
export function ordersElsewhereCheck(books: Database, home: Queryable, everyRow: boolean): Check {
  return bookCheck(books, {
    ...{ ...ledgerOf(everyRow), name: "credits, refunds and adjustments" },
    async find(page) {
      const rows = await orderedRows(page, limits.books.pageRows);
      const [ofPlatform, paid] = [rows.filter(isOfPlatform), rows.filter((row) => !isOfPlatform(row))];
      const orders = new Map([
        ...(await platformOrders(home, ofPlatform.map(orderOf))),
        ...(await paidOrders(home, paid.map(orderOf))),
      ]);
      return rows
        .flatMap((row): Difference[] => {
          const order = orders.get(orderOf(row));
          const kind = wrongWith(row, order);
          if (!kind) return [];
          const detail = detailOf(row.user_id, row.num, order);
          return [{ kind, subject: `order ${row.biz_id}`, detail }];
        })
        .slice(0, limits.books.findingsPerPage);
    },
  });
}

/** Payouts of a further server's ledger against the orders of the platform, but for those of an operator. */
export function payoutsElsewhereCheck(books: Database, home: Queryable): Check {
  return windowCheck(books, {
    ...{ name: "payouts", table: "t_income_posting", column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await orderedPayouts(books, from, to, limits.books.pageRows);
      const orders = await platformOrders(
        home,
        rows.map(({ biz_id }) => biz_id),
      );
      return rows
        .flatMap((row): Difference[] => {
          const order = orders.get(row.biz_id);
          const isRight =
            order !== undefined &&
            Number(order.kind) === 2 &&
            String(order.user_id) === String(row.user_id) &&
            BigInt(order.amount) === -BigInt(row.points) &&
            [1, Number(row.status) === 1 ? 2 : 3].includes(Number(order.state));
          if (isRight) return [];
          const detail = detailOf(row.user_id, row.points, order);
          return [{ kind: "payoutWithoutOrder", subject: `order ${row.biz_id}`, detail }];
        })
        .slice(0, limits.books.findingsPerPage);
    },
  });
}

/** No anchor was paid more than she earned on all servers: the database of one server cannot say so. */
export function paidOutCheck(books: Queryable, all: readonly Queryable[]): Check {
  return {
    ...{ name: "payouts of all servers", rounds: false, passes: true },
    async range() {
      return { from: "0" };
    },
    async page({ from }) {
      const rows = await incomesAfter(books, from, limits.books.pageAccounts);
      const anchors = rows.map(({ user_id }) => String(user_id));
      const sums = new Map<string, { earned: bigint; paid: bigint }>();
      for (const { user_id, earned, paid } of (await Promise.all(all.map((db) => incomesOf(db, anchors)))).flat()) {
        const known = sums.get(String(user_id)) ?? { earned: 0n, paid: 0n };
        sums.set(String(user_id), { earned: known.earned + BigInt(earned), paid: known.paid + BigInt(paid) });
      }
      const differences = [...sums].flatMap(([anchor, { earned, paid }]): Difference[] =>
        paid <= earned
          ? []
          : [{ kind: "incomeDiffers", subject: `anchor ${anchor}`, detail: `earned ${earned}, paid out ${paid}` }],
      );
      const next = rows.length < limits.books.pageAccounts ? null : (anchors.at(-1) ?? null);
      return { rows: rows.length, differences: differences.slice(0, limits.books.findingsPerPage), next };
    },
  };
}
