-- expand, release 2

-- The gift records of closed months: the same columns and ids, moved there by the archiver. An order id is unique over
-- both tables (mixins/archive/).
CREATE TABLE IF NOT EXISTS t_gift_record_archive (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  object_id BIGINT UNSIGNED NOT NULL,
  room_id BIGINT UNSIGNED NOT NULL,
  gift_id BIGINT UNSIGNED NOT NULL,
  count INT UNSIGNED NOT NULL,
  price BIGINT NOT NULL,
  price_unit TINYINT NOT NULL,
  source TINYINT NOT NULL,
  status TINYINT NOT NULL,
  reason VARCHAR(40) NULL,
  income_points BIGINT NOT NULL,
  income BIGINT GENERATED ALWAYS AS (income_points DIV 100) STORED,
  content_hash CHAR(32) NOT NULL,
  send_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  json JSON NULL,
  KEY idx_order_id (order_id),
  KEY idx_user (user_id, id),
  KEY idx_object (object_id, send_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
PARTITION BY RANGE (id) (PARTITION p_rest VALUES LESS THAN MAXVALUE);

INSERT IGNORE INTO t_archive_revision (table_name, revision) VALUES ('t_gift_record', 0);
