-- Orders that may still be open, and when the provider is asked about each: what a notice that never comes would have
-- said. A row goes once its order is over.
CREATE TABLE IF NOT EXISTS t_pay_watch (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  -- From when on the order is closed, where the provider says that it was not paid.
  expire_time DATETIME(3) NOT NULL,
  next_time DATETIME(3) NOT NULL,
  -- How often the provider was asked.
  asked INT UNSIGNED NOT NULL DEFAULT 0,
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_pay_watch (order_id, expire_time, next_time)
SELECT order_id, create_time + INTERVAL 16 MINUTE, UTC_TIMESTAMP(3) FROM t_pay_order WHERE status IN (0, 1);

-- What one node at a time does: whose it is, and until when it is without being renewed.
CREATE TABLE IF NOT EXISTS t_pay_lease (
  name VARCHAR(40) NOT NULL PRIMARY KEY,
  holder VARCHAR(100) NOT NULL,
  until_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_pay_lease (name, holder, until_time) VALUES ('janitor', '', '2000-01-01');
