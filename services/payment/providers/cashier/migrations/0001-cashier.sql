-- The sandbox cashier's own book: its orders, the buttons that were pressed, the webhook calls that are due.
CREATE TABLE IF NOT EXISTS t_cashier_payment (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  amount BIGINT UNSIGNED NOT NULL,
  -- pay or cancel: the first press. NULL: not pressed.
  action VARCHAR(10) NULL,
  press_time DATETIME(3) NULL,
  notice_id VARCHAR(64) NULL,
  transaction_id VARCHAR(64) NULL,
  -- Successful answers that are still wanted: 1, or 2 where the webhook is sent twice.
  calls_left TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- The number of calls that were begun. It fences a claim: only the claimer with this number may update the row.
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  -- When the next call is due; later while a node is calling. NULL: no call is due.
  next_time DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Its refunds, for its bill: at most one for an order.
CREATE TABLE IF NOT EXISTS t_cashier_refund (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  refund_time DATETIME(3) NOT NULL,
  KEY idx_refund_time (refund_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
