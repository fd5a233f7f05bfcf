-- The money of a refunded order on its way back to the payer: at most one refund an order, known to the provider by the
-- order's id.
CREATE TABLE IF NOT EXISTS t_pay_refund (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  pay_channel TINYINT UNSIGNED NOT NULL,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- Who began it: operator or provider.
  origin VARCHAR(10) NOT NULL,
  -- requested, processing (the provider has it), done, failed (a person has to give it back).
  state VARCHAR(12) NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  -- What the provider said to the last attempt that failed.
  problem VARCHAR(200) NULL,
  -- When the provider is asked next. NULL: nothing is to be asked.
  next_time DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
