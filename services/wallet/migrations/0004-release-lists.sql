-- expand, release 2

-- On the home server, where there are several: whose shares a release of staff is about, written before its first part. A
-- repeat releases these alone. A row in t_wallet_carried_out of the same move says that a server has done its part.
CREATE TABLE IF NOT EXISTS t_wallet_release_list (
  move_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  -- ["anchor id", ...]
  anchor_ids JSON NOT NULL,
  create_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
