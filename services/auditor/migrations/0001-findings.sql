-- What the comparison of the books found. A row stays when its difference is gone.
CREATE TABLE IF NOT EXISTS t_book_finding (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- A kind of services/auditor/differences.ts.
  kind VARCHAR(40) NOT NULL,
  -- The account, order, row, seal or chain.
  subject VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  detail VARCHAR(300) NOT NULL,
  -- What stays the same while the difference does, e.g. by how much a balance differs.
  measure VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  found_time DATETIME(3) NOT NULL,
  -- When it was last found.
  seen_time DATETIME(3) NOT NULL,
  -- When a full pass did not find it. NULL: it is open.
  gone_time DATETIME(3) NULL,
  -- By an operator, who says why it may stay as it is. NULL: it counts. It counts again once its measure changes.
  accepted_time DATETIME(3) NULL,
  accepted_by VARCHAR(100) NULL,
  accepted_reason VARCHAR(200) NULL,
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

-- When the last round ended in which every check came to its end: one row, 1.
CREATE TABLE IF NOT EXISTS t_book_round (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  ended_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The furthest seal of each chain that the auditor has seen: whoever removes seals cannot remove it here.
CREATE TABLE IF NOT EXISTS t_book_head (
  service VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  writer CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  digest BINARY(32) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  PRIMARY KEY (service, writer),
  KEY idx_update_time (update_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The checkpoints of each service as its events have them. The first event of a number stays.
CREATE TABLE IF NOT EXISTS t_book_checkpoint (
  service VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  digest BINARY(32) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  PRIMARY KEY (service, number)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
