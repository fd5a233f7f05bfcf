-- expand, release 2

-- The segments of the tables whose closed months are moved into archive tables (mixins/archive/). A segment is a range of
-- ids, from_id <= id < to_id. Segments of a table follow each other without a gap, so every archived id is below every
-- id that is still in the hot table.
CREATE TABLE IF NOT EXISTS t_archive_segment (
  -- The hot table; its archive has the same name with _archive.
  table_name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- 1, 2, ... by table. The archive table's partition is p<segment>.
  segment INT UNSIGNED NOT NULL,
  from_id BIGINT UNSIGNED NOT NULL,
  to_id BIGINT UNSIGNED NOT NULL,
  -- Rows below it are in the archive table, those from it on in the hot one; both as of the same transaction.
  moved_to BIGINT UNSIGNED NOT NULL,
  -- The closed month that it is a part of, in PLATFORM_TIMEZONE: 2026-10.
  month CHAR(7) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- planned, filtered, emptying, closed: see mixins/archive/segment-state.ts.
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- What was counted in the hot table before any row was moved; NULL while planned, and never changed afterwards.
  row_count BIGINT UNSIGNED NULL,
  -- Of valid rows: the coins, with their signs in the ledger; and the points.
  row_sum DECIMAL(38, 0) NULL,
  row_points DECIMAL(38, 0) NULL,
  -- SHA-256 over the texts of all rows, by id (mixins/archive/row-text.ts).
  digest BINARY(32) NULL,
  -- The times of the oldest and the newest row.
  first_time DATETIME(3) NULL,
  last_time DATETIME(3) NULL,
  -- How the filter is read (mixins/archive/bloom.ts), and SHA-256 over its parts in their order.
  filter_hashes TINYINT UNSIGNED NULL,
  filter_digest BINARY(32) NULL,
  -- The key of ARCHIVER_BOOK_KEYS, and HMAC-SHA256 by it over all of the columns above but moved_to and state.
  key_name VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  seal BINARY(32) NULL,
  planned_time DATETIME(3) NOT NULL,
  filtered_time DATETIME(3) NULL,
  closed_time DATETIME(3) NULL,
  PRIMARY KEY (table_name, segment),
  UNIQUE KEY uk_from (table_name, from_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The filters of the segments: Bloom filters of their business ids, cut into parts that fit into a packet.
CREATE TABLE IF NOT EXISTS t_archive_filter (
  table_name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  segment INT UNSIGNED NOT NULL,
  part SMALLINT UNSIGNED NOT NULL,
  bits MEDIUMBLOB NOT NULL,
  PRIMARY KEY (table_name, segment, part)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row a table. The revision grows with each segment that becomes filtered or closed. A transaction that writes business
-- ids holds the row share-locked, and so knows that no filter is added before its commit.
CREATE TABLE IF NOT EXISTS t_archive_revision (
  table_name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  revision BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
