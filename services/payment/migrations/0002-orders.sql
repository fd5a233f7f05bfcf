-- One row an order. Amount (fen), coins and biz code are what the product said when the order was made.
CREATE TABLE IF NOT EXISTS t_pay_order (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  product_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- 1 live room, 2 user centre.
  source TINYINT UNSIGNED NOT NULL,
  -- 0 Alipay, 1 WeChat, 2 UnionPay, 3 cashier.
  pay_channel TINYINT UNSIGNED NOT NULL,
  -- 0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded; moves are in order-state.ts.
  status TINYINT UNSIGNED NOT NULL,
  amount BIGINT UNSIGNED NOT NULL,
  coins BIGINT UNSIGNED NOT NULL,
  biz_code INT UNSIGNED NOT NULL,
  -- The provider's id of the payment: one payment pays one order.
  transaction_id VARCHAR(64) NULL,
  -- Why somebody must look at the order: topicMissing, paidWhenClosed, paidTwice. NULL: nothing is the matter.
  parked VARCHAR(20) NULL,
  pay_time DATETIME(3) NULL,
  refund_time DATETIME(3) NULL,
  refund_reason VARCHAR(200) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_order_id (order_id),
  UNIQUE KEY uk_transaction (pay_channel, transaction_id),
  KEY idx_user (user_id, id),
  KEY idx_parked (parked, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Where the message of a paid order goes, by its biz code. A topic is a subject of the stream PAY (`pay.*`).
CREATE TABLE IF NOT EXISTS t_pay_topic (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  topic VARCHAR(100) NOT NULL,
  -- 0 off, 1 on.
  status TINYINT UNSIGNED NOT NULL DEFAULT 1,
  biz_code INT UNSIGNED NOT NULL,
  remark VARCHAR(200) NOT NULL DEFAULT '',
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  UNIQUE KEY uk_biz_code (biz_code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_pay_topic (topic, status, biz_code, remark) VALUES
  ('pay.recharge', 1, 10001, '直播间充值旗鱼币');

-- Every call of a provider, or of somebody who says to be one, and what came of it.
CREATE TABLE IF NOT EXISTS t_pay_notice (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  channel VARCHAR(16) NOT NULL,
  -- applied, repeated, ignored, parked, refused.
  outcome VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- NULL where the notice was not believed.
  notice_id VARCHAR(64) NULL,
  order_id VARCHAR(64) NULL,
  transaction_id VARCHAR(64) NULL,
  amount BIGINT NULL,
  -- The beginning of what was sent, signatures and the like masked.
  body VARCHAR(1000) NOT NULL,
  ip VARCHAR(64) NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_order (order_id, id),
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
