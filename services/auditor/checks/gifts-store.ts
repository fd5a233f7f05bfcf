import { limits } from "../../../config/limits.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import { comparedWith, type Partners, recordsBook, tradesBook } from "./book-rows-store.ts";
import { bookCheck } from "./book-windows.ts";
import type { Check } from "./check.ts";

/** Gifts in the ledger against the gift records, both ways. A record is written after its charge is committed. */

interface GiftRow extends Record<"num" | "points" | "user_id", string> {
  biz_id: string;
  status: number;
  counterparty_id: string | null;
  recorded: string | null;
}

const ofLedger = ({ user_id, num, status, counterparty_id, points }: Omit<GiftRow, "recorded" | "biz_id">) =>
  `ledger: user ${user_id}, num ${num}, status ${status}, receiver ${counterparty_id}, ${points} points`;

/** Charged gifts without a record, once they are older than what may be under way; and records that differ. */
export function chargedGiftsCheck(books: Database, underWayMs: number, everyRow: boolean): Check {
  const { pageRows } = limits.books;
  return bookCheck(books, {
    ...{ name: "gifts of the ledger", book: tradesBook(), archived: everyRow ? "all" : "parts" },
    delayMs: underWayMs,
    async find({ db, rows: gifts, near }) {
      const trades = gifts(
        "biz_id, user_id, num, type, status, counterparty_id, counterparty_income_points, create_time",
      );
      const compare = ({ source, values, only }: Partners) =>
        db.query<GiftRow>(
          `SELECT t.biz_id, t.user_id, t.num, t.status, t.counterparty_id, t.counterparty_income_points AS points,
             CONCAT('record: user ', r.user_id, ', ', r.price, ' x ', r.count, ', status ', r.status, ', receiver ',
               r.object_id, ', ', r.income_points, ' points') AS recorded
           FROM ${trades} t LEFT JOIN ${source} r ON r.order_id = t.biz_id
           WHERE t.type = 0 ${only ? "AND t.biz_id IN (?)" : ""} AND (
             (r.id IS NULL AND t.create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND)
             OR r.user_id <> t.user_id OR r.object_id <> t.counterparty_id OR r.status <> t.status
             OR CAST(r.price AS DECIMAL(30)) * r.count <> -CAST(t.num AS DECIMAL(30))
             OR r.income_points <> t.counterparty_income_points)
           LIMIT ?`,
          [...values, ...(only ? [only] : []), underWayMs * 1_000, pageRows],
        );
      const rows = await comparedWith<GiftRow>(db, {
        ...{ book: recordsBook(), columns: "id, order_id, user_id, object_id, price, count, status, income_points" },
        ...{ near, compare, subjectOf: ({ biz_id }) => biz_id },
      });
      return rows.map((row): Difference => {
        const subject = `gift order ${row.biz_id}`;
        if (row.recorded === null) return { kind: "giftNotRecorded", subject, detail: ofLedger(row) };
        return { kind: "giftDiffers", subject, detail: `${ofLedger(row)}; ${row.recorded}` };
      });
    },
  });
}

interface RecordRow extends Record<"order_id" | "user_id" | "price", string> {
  count: number;
}

/** Records of gifts that succeeded without a valid row of the ledger, which may be another one's record twice. */
export function recordedGiftsCheck(books: Database, everyRow: boolean): Check {
  return bookCheck(books, {
    ...{ name: "gift records", book: recordsBook(), archived: everyRow ? "all" : "parts" },
    async find({ db, rows: records, near }) {
      const compare = ({ source, values, only }: Partners) =>
        db.query<RecordRow>(
          `SELECT r.order_id, r.user_id, r.price, r.count FROM ${records("order_id, user_id, price, count, status")} r
           LEFT JOIN ${source} t ON t.biz_id = r.order_id AND t.type = 0 AND t.status = 1
           WHERE r.status = 1 AND t.id IS NULL ${only ? "AND r.order_id IN (?)" : ""} LIMIT ?`,
          [...values, ...(only ? [only] : []), limits.books.pageRows],
        );
      const rows = await comparedWith<RecordRow>(db, {
        ...{ book: tradesBook(), columns: "id, biz_id, type, status" },
        ...{ near, compare, subjectOf: ({ order_id }) => order_id },
      });
      return rows.map(({ order_id, user_id, price, count }): Difference => {
        const detail = `user ${user_id}, ${count} at ${price} coins`;
        return { kind: "giftWithoutCharge", subject: `gift order ${order_id}`, detail };
      });
    },
  });
}
