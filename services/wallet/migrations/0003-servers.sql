-- expand, release 2
-- Databases by user (services/wallet-servers.ts). Empty, or unused, where there is one server.

-- The servers: on the home server (number 0) all of them, on another one its own row.
CREATE TABLE IF NOT EXISTS t_server (
  name VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  number SMALLINT UNSIGNED NOT NULL,
  is_self TINYINT NOT NULL,
  UNIQUE KEY uk_number (number)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- On the home server: which server has a bucket's users. A bucket without a row is on the home server. The revision grows
-- with each move of the bucket.
CREATE TABLE IF NOT EXISTS t_wallet_bucket (
  bucket SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  server VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  revision INT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- On each server: whether rows of the bucket's users may be written here. Each transaction that writes some holds the row
-- share-locked, so a move that closes it waits for them.
CREATE TABLE IF NOT EXISTS t_wallet_gate (
  bucket SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  is_open TINYINT NOT NULL,
  revision INT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- On the home server: the moves of buckets, with their states (services/wallet/buckets/move-state.ts).
CREATE TABLE IF NOT EXISTS t_wallet_bucket_move (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  bucket SMALLINT UNSIGNED NOT NULL,
  source VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  target VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- That of the bucket once it has moved: an old step is told from a new one by it.
  revision INT UNSIGNED NOT NULL,
  state TINYINT NOT NULL,
  -- Whether the source has rows of the bucket's users: they are looked up there for ever.
  has_rows TINYINT NOT NULL DEFAULT 1,
  accounts INT UNSIGNED NOT NULL DEFAULT 0,
  operator VARCHAR(100) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  closed_time DATETIME(3) NULL,
  done_time DATETIME(3) NULL,
  -- Of a move that is not done: of a bucket there is one at a time.
  open_bucket SMALLINT UNSIGNED NULL,
  UNIQUE KEY uk_open (open_bucket)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
