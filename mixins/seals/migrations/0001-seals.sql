-- The seals of the rows of tables that are only added to; services/book-seals.ts has the tables with their numbers. Each
-- transaction seals the rows that it writes, one seal for each INSERT. Rows are only added. mixins/seals/seal-form.ts has
-- the form of a digest.
CREATE TABLE IF NOT EXISTS t_ledger_seal (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- The chain, and the place in it: 1, 2, 3, ... Transactions that run at once have chains of their own.
  writer CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  -- The digest of the seal before it in the chain; zeros for the first.
  previous BINARY(32) NOT NULL,
  book TINYINT UNSIGNED NOT NULL,
  -- The rows are first_id, first_id + id_step, ..., last_id.
  first_id BIGINT UNSIGNED NOT NULL,
  last_id BIGINT UNSIGNED NOT NULL,
  id_step INT UNSIGNED NOT NULL,
  row_count INT UNSIGNED NOT NULL,
  -- Coins or points of the valid rows; 0 where nothing is added up.
  row_sum BIGINT NOT NULL,
  -- create_time of all the rows.
  rows_time DATETIME(3) NOT NULL,
  -- SHA-256 of the rows, and a checksum of 4 bytes for each of them.
  rows_digest BINARY(32) NOT NULL,
  row_tags BLOB NOT NULL,
  -- The key of the service's BOOK_KEYS, and HMAC-SHA256 by it over all of this but last_id, id_step and row_tags.
  key_name VARCHAR(16) NOT NULL,
  digest BINARY(32) NOT NULL,
  UNIQUE KEY uk_writer (writer, number),
  KEY idx_rows (book, first_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The joined heads of the chains that grew, written every minute together with an event. Rows are only added.
CREATE TABLE IF NOT EXISTS t_ledger_checkpoint (
  number BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- The digest of the checkpoint before it; zeros for the first.
  previous BINARY(32) NOT NULL,
  -- [{"writer": "...", "number": 17, "digest": "..."}, ...]
  heads JSON NOT NULL,
  key_name VARCHAR(16) NOT NULL,
  digest BINARY(32) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
