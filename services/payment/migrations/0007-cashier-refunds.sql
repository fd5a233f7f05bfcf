-- What the sandbox cashier gave back, for its bill: at most one refund an order.
CREATE TABLE IF NOT EXISTS t_cashier_refund (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  refund_time DATETIME(3) NOT NULL,
  KEY idx_refund_time (refund_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
