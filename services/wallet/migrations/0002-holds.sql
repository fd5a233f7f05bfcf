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

-- Refunds of which nothing could be taken back had a row of debt alone, and no place in the statement: they get the row
-- that moves nothing which they have from now on, with their own time.
INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after, reason, create_time)
SELECT d.user_id, -d.num, 2, 0, d.biz_id, 0, 'balanceShort', d.create_time FROM t_wallet_debt d
LEFT JOIN t_qiyu_currency_trade t ON t.biz_id = d.biz_id
WHERE d.num > 0 AND t.id IS NULL ORDER BY d.id;
