-- expand, release 2

-- The sealed segments of archives that the auditor has seen: whoever removes or changes one cannot change it here.
CREATE TABLE IF NOT EXISTS t_book_segment (
  -- The hot table; of a further server with its name: t_gift_record@b.
  table_name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  segment INT UNSIGNED NOT NULL,
  seal BINARY(32) NOT NULL,
  -- Of a closed segment of trades whose shares are all in t_book_segment_share.
  summed TINYINT NOT NULL DEFAULT 0,
  PRIMARY KEY (table_name, segment)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The anchors' shares of the valid gifts of closed segments of trades, in points, as the auditor has added them up: a pass
-- reads these instead of the rows, which it adds up again, a part each day.
CREATE TABLE IF NOT EXISTS t_book_segment_share (
  -- As in t_book_segment.
  table_name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  segment INT UNSIGNED NOT NULL,
  anchor_id BIGINT UNSIGNED NOT NULL,
  points DECIMAL(38, 0) NOT NULL,
  PRIMARY KEY (table_name, segment, anchor_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
