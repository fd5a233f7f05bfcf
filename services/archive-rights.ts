/**
 * What the archiver's login may do in the databases whose closed months it moves, by service and table. It is the one login
 * that may remove rows of the ledger and of the gift records, and it may write none there; those of their services may write
 * them and remove none. So neither can replace a row of the hot tables. It can change or empty the archive by ALTER, and
 * remove hot rows: the auditor names both (docs/security.md), nothing prevents it.
 */

/** A partition is made by ALTER, which needs CREATE and INSERT too. */
const archive = ["SELECT", "INSERT", "ALTER", "CREATE"] as const;
const hot = ["SELECT", "DELETE"] as const;
const updates = (...columns: readonly string[]) => columns.map((column) => `UPDATE (\`${column}\`)`);

const segments = {
  // Not the range: where a segment is must not change.
  t_archive_segment: [
    ...["SELECT", "INSERT"],
    ...updates("state", "moved_to", "filtered_time", "closed_time"),
    ...updates("row_count", "row_sum", "row_points", "digest", "first_time", "last_time"),
    ...updates("filter_hashes", "filter_digest", "key_name", "seal"),
  ],
  t_archive_filter: ["SELECT", "INSERT"],
  t_archive_revision: ["SELECT", ...updates("revision")],
  // Whether the tables of the archive are there.
  t_migration: ["SELECT"],
  t_migration_release: ["SELECT"],
  // Which server it is.
  t_server: ["SELECT"],
} as const;

export const movesRowsIn: Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>>
> = {
  archiver: {
    wallet: {
      ...segments,
      t_qiyu_currency_trade: hot,
      t_qiyu_currency_trade_archive: archive,
      // MariaDB wants all columns for ON DUPLICATE KEY UPDATE.
      t_trade_archive_sum: ["SELECT", "INSERT", "UPDATE"],
    },
    gift: { ...segments, t_gift_record: hot, t_gift_record_archive: archive },
  },
};
