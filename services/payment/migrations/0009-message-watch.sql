-- Messages to the wallet that its books do not show yet, and when it is asked about each. A row goes once they do. Orders
-- of before this table are not in it: they are compared by the reconciliation.
CREATE TABLE IF NOT EXISTS t_pay_message_watch (
  order_id VARCHAR(64) NOT NULL,
  -- What the wallet's books have to show of the order: credit, refund.
  effect VARCHAR(10) NOT NULL,
  -- The message, as it is published again.
  subject VARCHAR(100) NOT NULL,
  payload JSON NOT NULL,
  next_time DATETIME(3) NOT NULL,
  -- It is not published again before.
  again_time DATETIME(3) NOT NULL,
  -- How often the wallet has said no since it was published last.
  asked INT UNSIGNED NOT NULL DEFAULT 0,
  -- How often it was published again.
  again INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, effect),
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
