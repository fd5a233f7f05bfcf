-- expand, release 2

-- The trades of closed months: the same columns and ids as in the ledger, moved there by the archiver. A business id is
-- unique over both tables (mixins/archive/).
CREATE TABLE IF NOT EXISTS t_qiyu_currency_trade_archive (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  num BIGINT NOT NULL,
  type TINYINT NOT NULL,
  status TINYINT NOT NULL,
  biz_id VARCHAR(100) NOT NULL,
  counterparty_id BIGINT UNSIGNED NULL,
  counterparty_income_points BIGINT NOT NULL,
  counterparty_income BIGINT GENERATED ALWAYS AS (counterparty_income_points DIV 100) STORED,
  balance_after BIGINT NOT NULL,
  reason VARCHAR(40) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_biz_id (biz_id),
  KEY idx_user (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
PARTITION BY RANGE (id) (PARTITION p_rest VALUES LESS THAN MAXVALUE);

-- What of a user's trades is in the archive. At every moment num here and the sum of the user's valid trades in the ledger
-- are the balance: both change in the transaction that moves trades.
CREATE TABLE IF NOT EXISTS t_trade_archive_sum (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- All archived trades, rejected ones too.
  trades BIGINT UNSIGNED NOT NULL,
  -- The sum of the valid ones, and of recharges among them.
  num BIGINT NOT NULL,
  charged BIGINT NOT NULL,
  -- The last archived trade, and its balance_after.
  last_id BIGINT UNSIGNED NOT NULL,
  last_balance BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_archive_revision (table_name, revision) VALUES ('t_qiyu_currency_trade', 0);
