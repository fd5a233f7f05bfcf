-- Lines of a provider's bill that an operator handed in as a file, where the provider's own download is not to be had.
CREATE TABLE IF NOT EXISTS t_pay_bill_line (
  bill_date DATE NOT NULL,
  channel VARCHAR(16) NOT NULL,
  line_no INT UNSIGNED NOT NULL,
  -- paid or refunded.
  kind VARCHAR(10) NOT NULL,
  order_id VARCHAR(80) NOT NULL,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (bill_date, channel, line_no)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
