import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import { rechargeBizCode } from "../../first-catalogue.ts";
import type { Difference } from "../differences.ts";
import type { AuditedTerms, Field } from "./audited-terms.ts";
import { recordsBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import { auditedOf, gifts, type Keys, products, termsOf } from "./catalogue-calls.ts";
import type { Check } from "./check.ts";
import { serverTime, windowCheck } from "./windows-store.ts";

/**
 * Products, gifts, orders and gift records against the audit of operators' calls, which is sealed: a price that somebody
 * changed by SQL is in no call. Each page is read as of one moment.
 */

/** What differs: what a row has, and what it may have had then. */
interface Wrong {
  readonly has: string;
  readonly shown: string;
}

const shownOf = (wrong: readonly Wrong[]) => wrong.map(({ shown }) => shown).join("; ");
const measureOf = (wrong: readonly Wrong[]) => wrong.map(({ has }) => has).join("; ");

/** What a row has of each field against what it may have had then. */
function wrongTerms(
  terms: AuditedTerms,
  subject: string,
  time: number,
  has: Readonly<Partial<Record<Field, number | null>>>,
): Wrong[] {
  return (Object.entries(has) as [Field, number | null][]).flatMap(([field, value]) =>
    value !== null && terms.had(subject, field, value, time)
      ? []
      : [{ has: `${field} ${value}`, shown: `${field} ${value}, by the audit ${terms.shown(subject, field, time)}` }],
  );
}

interface ProductRow extends Record<"id" | "price" | "status", string> {
  coins: string | null;
}

/** The rows of both catalogues as they are now. */
export function catalogueCheck(books: Database, keys: Keys): Check {
  return {
    ...{ name: "products and gifts", rounds: true, passes: true },
    async range() {
      return { from: "" };
    },
    page: () =>
      books.snapshot(async (db) => {
        const now = (await serverTime(db)).getTime();
        const integer = (text: string | null) => (text === null ? null : Number(text));
        const { terms: ofProducts, unread: unreadProducts } = await auditedOf(db, products, keys);
        const productRows = await db.query<ProductRow>(
          `SELECT id, price, valid_status AS status, JSON_UNQUOTE(JSON_EXTRACT(extra, '$.coin')) AS coins
           FROM ${databaseName("payment")}.t_pay_product`,
        );
        const { terms: ofGifts, unread: unreadGifts } = await auditedOf(db, gifts, keys);
        const giftRows = await db.query<Omit<ProductRow, "coins">>(
          `SELECT gift_id AS id, price, status FROM ${databaseName("gift")}.t_gift_config`,
        );
        const wrong = [
          ...productRows.map(({ id, price, coins, status }) => {
            const has = { price: Number(price), coins: integer(coins), status: Number(status) };
            return [`product ${id}`, wrongTerms(ofProducts, String(id), now, has)] as const;
          }),
          ...giftRows.map(({ id, price, status }) => {
            const has = { price: Number(price), status: Number(status) };
            return [`gift ${id}`, wrongTerms(ofGifts, String(id), now, has)] as const;
          }),
        ];
        const differences = wrong.flatMap(([subject, what]): Difference[] =>
          what.length === 0
            ? []
            : [{ kind: "catalogueDiffers", subject, detail: shownOf(what), measure: measureOf(what) }],
        );
        for (const subject of [...unreadProducts, ...unreadGifts])
          differences.push({ kind: "catalogueDiffers", subject, detail: "its params are gone or cannot be read" });
        const rows = productRows.length + giftRows.length;
        return { rows, differences: differences.slice(0, limits.books.findingsPerPage), next: null };
      }),
  };
}

interface OrderRow extends Record<"order_id" | "product_id" | "user_id" | "amount" | "coins", string> {
  biz_code: number;
  create_time: Date;
}

const timeInId = /^([0-9a-f]{8})-([0-9a-f]{4})-7/;

/**
 * When an order was made: its id has the time, and payment's MAC is of the id, so a row cannot have another one. An id
 * without it: the row's time.
 */
function madeAt({ order_id, create_time }: OrderRow): number {
  const [, high, low] = timeInId.exec(order_id) ?? [];
  return high === undefined ? create_time.getTime() : Number.parseInt(`${high}${low}`, 16);
}

/** Orders: price, coins and biz code are those that their product had when they were made, and it was on sale. */
export function orderTermsCheck(books: Database, keys: Keys): Check {
  const table = `${databaseName("payment")}.t_pay_order`;
  return windowCheck(books, {
    ...{ name: "terms of orders", table, column: "create_time", rounds: true },
    find: (from, to) =>
      books.snapshot(async (db) => {
        const terms = await termsOf(db, products, keys);
        const rows = await db.query<OrderRow>(
          `SELECT order_id, product_id, user_id, amount, coins, biz_code, create_time FROM ${table}
           WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
          [from, to, limits.books.pageRows],
        );
        const differences = rows.flatMap((row): Difference[] => {
          const has = { price: Number(row.amount), coins: Number(row.coins), status: 1 };
          const wrong = wrongTerms(terms, String(row.product_id), madeAt(row), has);
          if (Number(row.biz_code) !== rechargeBizCode) {
            const has = `biz code ${row.biz_code}`;
            wrong.push({ has, shown: `${has}, not ${rechargeBizCode}` });
          }
          if (wrong.length === 0) return [];
          const detail = `user ${row.user_id}, product ${row.product_id}: ${shownOf(wrong)}`;
          return [{ kind: "orderTermsDiffer", subject: `order ${row.order_id}`, detail, measure: measureOf(wrong) }];
        });
        return differences.slice(0, limits.books.findingsPerPage);
      }),
  });
}

interface GroupRow extends Record<"gift_id" | "price", string> {
  first: Date;
  last: Date;
}

interface GiftRow extends Record<"order_id" | "user_id" | "gift_id" | "price", string> {
  count: number;
  send_time: Date;
}

/**
 * Gift records: the price is that of the catalogue when the gift was accepted, and it was on sale. A page is read in
 * groups of one gift and price, and those that may be wrong row by row. Of a further server's records the catalogue is at
 * `home`.
 */
export function giftTermsCheck(books: Database, keys: Keys, everyRow: boolean, home?: Queryable): Check {
  const isRight = (terms: AuditedTerms, gift: string, price: string, from: Date, to = from) =>
    terms.had(gift, "price", Number(price), from.getTime(), to.getTime()) &&
    terms.had(gift, "status", 1, from.getTime(), to.getTime());
  return bookCheck(books, {
    ...{ name: "prices of gifts", book: recordsBook(), archived: everyRow ? "all" : "parts" },
    async find({ db, rows: records }) {
      const groups = await db.query<GroupRow>(
        `SELECT gift_id, price, MIN(send_time) AS first, MAX(send_time) AS last
         FROM ${records("gift_id, price, send_time")} r GROUP BY gift_id, price`,
      );
      const terms = await termsOf(home ?? db, gifts, keys);
      const differences: Difference[] = [];
      for (const { gift_id, price, first, last } of groups) {
        if (isRight(terms, String(gift_id), price, first, last)) continue;
        const rows = await db.query<GiftRow>(
          `SELECT order_id, user_id, gift_id, price, count, send_time
           FROM ${records("id, order_id, user_id, gift_id, price, count, send_time")} r
           WHERE gift_id = ? AND price = ? ORDER BY id LIMIT ?`,
          [gift_id, price, limits.books.pageRows],
        );
        for (const row of rows) {
          if (isRight(terms, String(gift_id), price, row.send_time)) continue;
          const wrong = wrongTerms(terms, String(gift_id), row.send_time.getTime(), {
            price: Number(price),
            status: 1,
          });
          const measure = measureOf(wrong);
          const detail = `user ${row.user_id}, ${row.count} of gift ${gift_id}: ${shownOf(wrong)}`;
          differences.push({ kind: "giftPriceDiffers", subject: `gift order ${row.order_id}`, detail, measure });
        }
        if (differences.length >= limits.books.findingsPerPage) break;
      }
      return differences.slice(0, limits.books.findingsPerPage);
    },
  });
}
