import type { ServiceName } from "../../broker/service-names.ts";

/** A table whose closed months are moved into another one. */
export interface ArchivedTable {
  /** The service whose database has it. */
  readonly service: ServiceName;
  readonly table: string;
  /** The table with the closed months: the same columns and ids, partitions by id. */
  readonly archive: string;
  /** The column with the business id, which is unique over both tables; the index on it in the archive. */
  readonly key: string;
  readonly keyIndex: string;
  /** When a row was written; rows of one INSERT share it, and ids grow with it. */
  readonly time: string;
  /** All columns but those that the database derives. */
  readonly columns: readonly string[];
  /** SQL of what a row adds to a segment's sum and points. */
  readonly sum: string;
  readonly points: string;
  /** Whether what is archived of each user is added up in t_trade_archive_sum. */
  readonly sums?: true;
}
