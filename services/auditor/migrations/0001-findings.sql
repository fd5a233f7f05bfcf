-- What the comparison of the books found. A row stays when its difference is gone.
CREATE TABLE IF NOT EXISTS t_book_finding (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- A kind of services/auditor/differences.ts.
  kind VARCHAR(40) NOT NULL,
  -- The account, order, row, seal or chain.
  subject VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  detail VARCHAR(300) NOT NULL,
  found_time DATETIME(3) NOT NULL,
  -- When it was last found.
  seen_time DATETIME(3) NOT NULL,
  -- When a full pass did not find it. NULL: it is open.
  gone_time DATETIME(3) NULL,
  UNIQUE KEY uk_subject (kind, subject),
  KEY idx_open (gone_time, kind)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The complete passes.
CREATE TABLE IF NOT EXISTS t_book_pass (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  began_time DATETIME(3) NOT NULL,
  ended_time DATETIME(3) NOT NULL,
  rows_compared BIGINT UNSIGNED NOT NULL,
  differences INT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The furthest seal of each chain that the auditor has seen: whoever removes seals cannot remove it here.
CREATE TABLE IF NOT EXISTS t_book_head (
  writer CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  number BIGINT UNSIGNED NOT NULL,
  digest BINARY(32) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_update_time (update_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The checkpoints as the events books.sealed have them. The first event of a number stays.
CREATE TABLE IF NOT EXISTS t_book_checkpoint (
  number BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  digest BINARY(32) NOT NULL,
  create_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
