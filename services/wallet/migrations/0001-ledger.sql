-- Times are UTC: every session of ours sets its time zone, so CURRENT_TIMESTAMP is UTC too.
CREATE TABLE IF NOT EXISTS t_qiyu_currency_account (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  current_balance BIGINT NOT NULL DEFAULT 0,
  total_charged BIGINT NOT NULL DEFAULT 0,
  -- What refunds could not take back; paid off by the next recharges.
  debt BIGINT NOT NULL DEFAULT 0,
  -- 0 invalid, 1 valid, 2 frozen.
  status TINYINT NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  CONSTRAINT ck_balance_not_negative CHECK (current_balance >= 0),
  CONSTRAINT ck_debt_not_negative CHECK (debt >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The ledger. One row is a balanced posting: num of the user's coins, counterparty_income to the counterparty, and for
-- a gift the rest of it to the platform. The sum of a user's rows with status 1 is the user's balance.
CREATE TABLE IF NOT EXISTS t_qiyu_currency_trade (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  num BIGINT NOT NULL,
  -- 0 gift, 1 recharge, 2 refund, 3 adjustment.
  type TINYINT NOT NULL,
  -- 0 rejected (no money moved), 1 valid.
  status TINYINT NOT NULL,
  biz_id VARCHAR(80) NOT NULL,
  counterparty_id BIGINT UNSIGNED NULL,
  counterparty_income BIGINT NOT NULL DEFAULT 0,
  balance_after BIGINT NOT NULL,
  reason VARCHAR(40) NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_user (user_id, id),
  CONSTRAINT ck_num_not_zero CHECK (num <> 0),
  CONSTRAINT ck_income_not_negative CHECK (counterparty_income >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The ledger of debts: num above zero where a refund could not be taken back, below zero where a recharge paid it off.
CREATE TABLE IF NOT EXISTS t_wallet_debt (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  num BIGINT NOT NULL,
  biz_id VARCHAR(80) NOT NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_user (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Income of anchors, and what of it still has to be added up: one row a committed batch of gifts, taken out in the
-- transaction that adds it. So it is exact even though rows become visible in another order than their ids.
CREATE TABLE IF NOT EXISTS t_anchor_income (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  income BIGINT NOT NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS t_anchor_income_pending (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- [["anchor id", coins], ...]
  incomes JSON NOT NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
