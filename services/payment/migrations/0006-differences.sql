-- What the comparison of a day found, by its latest run: orders against the provider's bill and the wallet's credits.
CREATE TABLE IF NOT EXISTS t_pay_difference (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  bill_date DATE NOT NULL,
  channel VARCHAR(16) NOT NULL,
  -- paidNotCredited, creditedNotPaid, amountDiffers, unknown, notInBill.
  kind VARCHAR(20) NOT NULL,
  order_id VARCHAR(80) NOT NULL,
  transaction_id VARCHAR(64) NULL,
  detail VARCHAR(200) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_bill_date (bill_date, channel)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
