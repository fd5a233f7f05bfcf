import type { ArchivedTable } from "../mixins/archive/archived-table.ts";

/** The tables whose closed months are moved out: those with a row for each gift. Their readers know both places. */

export const archivedTrades = {
  service: "wallet",
  table: "t_qiyu_currency_trade",
  archive: "t_qiyu_currency_trade_archive",
  key: "biz_id",
  keyIndex: "idx_biz_id",
  time: "create_time",
  columns: [
    ...["id", "user_id", "num", "type", "status", "biz_id", "counterparty_id", "counterparty_income_points"],
    ...["balance_after", "reason", "create_time", "update_time"],
  ],
  sum: "IF(status = 1, num, 0)",
  points: "IF(status = 1, counterparty_income_points, 0)",
  sums: true,
} as const satisfies ArchivedTable;

export const archivedRecords = {
  service: "gift",
  table: "t_gift_record",
  archive: "t_gift_record_archive",
  key: "order_id",
  keyIndex: "idx_order_id",
  time: "update_time",
  columns: [
    ...["id", "order_id", "user_id", "object_id", "room_id", "gift_id", "count", "price", "price_unit", "source"],
    ...["status", "reason", "income_points", "content_hash", "send_time", "update_time", "json"],
  ],
  sum: "IF(status = 1, price * count, 0)",
  points: "IF(status = 1, income_points, 0)",
} as const satisfies ArchivedTable;

export const archivedTables = [archivedTrades, archivedRecords] as const;
