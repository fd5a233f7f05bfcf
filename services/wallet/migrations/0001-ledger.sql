-- Times are UTC: every session sets its time zone, so CURRENT_TIMESTAMP is UTC too.
CREATE TABLE IF NOT EXISTS t_qiyu_currency_account (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  current_balance BIGINT NOT NULL DEFAULT 0,
  total_charged BIGINT NOT NULL DEFAULT 0,
  -- Coins that refunds could not take back; the next coins that are given pay them off.
  debt BIGINT NOT NULL DEFAULT 0,
  -- 0 invalid, 1 valid, 2 frozen.
  status TINYINT NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  CONSTRAINT ck_balance_not_negative CHECK (current_balance >= 0),
  CONSTRAINT ck_debt_not_negative CHECK (debt >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The ledger. One row is a balanced posting: num of the user's coins, counterparty_income_points (100 to a coin) to the
-- counterparty, and for a gift the rest to the platform. counterparty_income is these points in whole coins, rounded
-- down. The sum of a user's rows with status 1 is the user's balance.
CREATE TABLE IF NOT EXISTS t_qiyu_currency_trade (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  num BIGINT NOT NULL,
  -- 0 gift, 1 recharge (by a paid order, or sold by the platform), 2 refund, 3 adjustment.
  type TINYINT NOT NULL,
  -- 0 rejected (no coins moved), 1 valid.
  status TINYINT NOT NULL,
  biz_id VARCHAR(100) NOT NULL,
  counterparty_id BIGINT UNSIGNED NULL,
  counterparty_income_points BIGINT NOT NULL DEFAULT 0,
  counterparty_income BIGINT GENERATED ALWAYS AS (counterparty_income_points DIV 100) STORED,
  balance_after BIGINT NOT NULL,
  reason VARCHAR(40) NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_user (user_id, id),
  CONSTRAINT ck_num_not_zero CHECK (num <> 0),
  CONSTRAINT ck_income_not_negative CHECK (counterparty_income_points >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The ledger of debts: num above zero where a refund could not be taken back, below zero where a recharge, credit or
-- adjustment paid it off.
CREATE TABLE IF NOT EXISTS t_wallet_debt (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  num BIGINT NOT NULL,
  biz_id VARCHAR(100) NOT NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_user (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Income of anchors in points, 100 to a coin: one row for each anchor, the sums of her valid rows in t_income_posting
-- by kind. Her free income is earned_points - held_points - paid_out_points; income is earned_points in whole coins,
-- for display.
CREATE TABLE IF NOT EXISTS t_anchor_income (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  earned_points BIGINT NOT NULL DEFAULT 0,
  held_points BIGINT NOT NULL DEFAULT 0,
  paid_out_points BIGINT NOT NULL DEFAULT 0,
  income BIGINT GENERATED ALWAYS AS (earned_points DIV 100) STORED,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  CONSTRAINT ck_held_not_negative CHECK (held_points >= 0),
  -- A payout takes at most what is earned, whatever is held back later.
  CONSTRAINT ck_paid_out_earned CHECK (paid_out_points >= 0 AND paid_out_points <= earned_points)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The ledger of anchors' income. Points have the sign of the row's effect on the anchor's free income, which is the sum
-- of her rows with status 1.
CREATE TABLE IF NOT EXISTS t_income_posting (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  anchor_id BIGINT UNSIGNED NOT NULL,
  -- 0 gifts (earned, rolled up), 1 hold, 2 release, 3 payout.
  kind TINYINT NOT NULL,
  points BIGINT NOT NULL,
  -- 0 rejected (a payout or hold beyond the free income; nothing moved), 1 valid.
  status TINYINT NOT NULL DEFAULT 1,
  -- gifts:<round>:<anchor>, hold:<order>:<anchor>, release:<order>:<anchor>, free-hold:<hold id>,
  -- free-release:<hold id>, payout:<payout id>, platform:payout:<payout id>.
  biz_id VARCHAR(120) NOT NULL,
  -- Of hold and release: the refunded order; NULL where a part of the free income is held.
  order_id VARCHAR(64) NULL,
  reason VARCHAR(200) NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_anchor (anchor_id, id),
  KEY idx_order (order_id),
  CONSTRAINT ck_posting_direction CHECK ((kind IN (0, 2) AND points > 0) OR (kind IN (1, 3) AND points < 0)),
  CONSTRAINT ck_posting_rejected CHECK (status = 1 OR (status = 0 AND (kind = 3 OR (kind = 1 AND order_id IS NULL))))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Income that is not posted yet: one row for each committed batch of gifts. The transaction that posts it deletes the row,
-- so nothing is missed although rows become visible in another order than their ids.
CREATE TABLE IF NOT EXISTS t_anchor_income_pending (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- [["anchor id", "points"], ...]
  incomes JSON NOT NULL,
  -- How many anchors: what bounds a round of the roll-up.
  entries INT UNSIGNED GENERATED ALWAYS AS (JSON_LENGTH(incomes)) STORED,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The moves of staff that held back or released shares of a refunded order, written with what they did: a repeat does
-- nothing, also where the shares have moved on since.
CREATE TABLE IF NOT EXISTS t_wallet_carried_out (
  move_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  create_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The gifts that a posting of kind hold is of: `coins` coins of the gift, from `coins_from` on, and the anchor's share of
-- them in points. A coin of a gift is held for one order at the most.
CREATE TABLE IF NOT EXISTS t_income_hold_gift (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  hold_biz_id VARCHAR(120) NOT NULL,
  gift_biz_id VARCHAR(80) NOT NULL,
  coins_from BIGINT NOT NULL,
  coins BIGINT NOT NULL,
  points BIGINT NOT NULL,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_gift_coins (gift_biz_id, coins_from),
  KEY idx_hold (hold_biz_id),
  CONSTRAINT ck_hold_coins CHECK (coins > 0 AND coins_from >= 0 AND points >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
