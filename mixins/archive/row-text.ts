import type { ArchivedTable } from "./archived-table.ts";

/**
 * The text of a row, in SQL, as the digest of a segment has it: the columns, separated by tabs, which no value has. NULL
 * is \N. Stored digests are of this form, so it must not change.
 */
export const rowTextSql = ({ columns }: ArchivedTable): string =>
  `CONCAT_WS('\\t', ${columns.map((column) => `IFNULL(${column}, '\\\\N')`).join(", ")})`;

/** What stands between the rows of a segment in its digest. */
export const rowSeparator = "\n";
