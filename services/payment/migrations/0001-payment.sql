-- Products. Price is fen; `extra` has {"coin": the number of coins, ...}.
CREATE TABLE IF NOT EXISTS t_pay_product (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  price BIGINT UNSIGNED NOT NULL,
  extra JSON NOT NULL,
  -- 0 coins.
  type TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- 0 not on sale, 1 on sale.
  valid_status TINYINT UNSIGNED NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  KEY idx_type_price (type, valid_status, price)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_pay_product (id, name, price, extra, type, valid_status) VALUES
  (6, '30元旗鱼币', 3000, '{"coin": 300, "url": "www.tttt.com"}', 0, 1),
  (7, '35元旗鱼币', 3500, '{"coin": 350, "url": "www.tttt.com"}', 0, 1),
  (8, '40元旗鱼币', 4000, '{"coin": 400, "url": "www.tttt.com"}', 0, 1),
  (9, '50元旗鱼币', 5000, '{"coin": 500, "url": "www.tttt.com"}', 0, 1),
  (10, '100元旗鱼币', 10000, '{"coin": 1000, "url": "www.tttt.com"}', 0, 1);

-- One row for each order. Amount (fen), coins and biz code are the product's at the time of the order.
CREATE TABLE IF NOT EXISTS t_pay_order (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  product_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- 1 live room, 2 user centre.
  source TINYINT UNSIGNED NOT NULL,
  -- The number of a provider's channel, see providers/registry.ts.
  pay_channel TINYINT UNSIGNED NOT NULL,
  -- 0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded; moves are in order-state.ts.
  status TINYINT UNSIGNED NOT NULL,
  amount BIGINT UNSIGNED NOT NULL,
  coins BIGINT UNSIGNED NOT NULL,
  biz_code INT UNSIGNED NOT NULL,
  -- The provider's id of the payment: one payment pays one order.
  transaction_id VARCHAR(64) NULL,
  pay_time DATETIME(3) NULL,
  refund_time DATETIME(3) NULL,
  refund_reason VARCHAR(200) NULL,
  -- MACs of what was ordered, and of its payment (order-macs.ts): a row that payment did not write credits nothing.
  terms_mac VARCHAR(64) NULL,
  paid_mac VARCHAR(64) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_order_id (order_id),
  UNIQUE KEY uk_transaction (pay_channel, transaction_id),
  KEY idx_user (user_id, id),
  KEY idx_pay_time (pay_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The topic of a paid order's message, by biz code. A topic is a subject of the stream PAY (`pay.*`).
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

-- Every webhook call, genuine or not, and every answer of a provider to a query about an order, with its outcome.
CREATE TABLE IF NOT EXISTS t_pay_webhook (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  channel VARCHAR(16) NOT NULL,
  -- applied, repeated, ignored, parked, refused.
  outcome VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- NULL where the call was not genuine.
  webhook_id VARCHAR(64) NULL,
  order_id VARCHAR(64) NULL,
  transaction_id VARCHAR(64) NULL,
  amount BIGINT NULL,
  -- The beginning of the body, with signatures and secrets masked.
  body VARCHAR(1000) NOT NULL,
  -- The caller's address; `asked` where it is the answer to a query.
  ip VARCHAR(64) NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_order (order_id, id),
  -- Staff find an order by the provider's id of a payment.
  KEY idx_transaction (transaction_id, id),
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Why a person must examine an order: one row for each reason, and for reasons about a payment one row for each
-- payment. The reasons are in order.ts.
CREATE TABLE IF NOT EXISTS t_pay_parked (
  order_id VARCHAR(64) NOT NULL,
  reason VARCHAR(20) NOT NULL,
  -- The payment; '' where the reason concerns the order, or the payment is unknown.
  transaction_id VARCHAR(64) NOT NULL DEFAULT '',
  create_time DATETIME(3) NOT NULL,
  PRIMARY KEY (order_id, reason, transaction_id),
  KEY idx_reason (reason, order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Orders that may still be open, and when the provider is next asked about each, since a webhook may never arrive. A
-- row is deleted once its order is not open.
CREATE TABLE IF NOT EXISTS t_pay_watch (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  -- The time from which the order is closed, if the provider answers that it was not paid.
  expire_time DATETIME(3) NOT NULL,
  next_time DATETIME(3) NOT NULL,
  -- How often the provider was asked.
  asked INT UNSIGNED NOT NULL DEFAULT 0,
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Messages to the wallet whose effect is not confirmed, and when the wallet is next asked about each. A row is deleted
-- once the effect is confirmed.
CREATE TABLE IF NOT EXISTS t_pay_message_watch (
  order_id VARCHAR(64) NOT NULL,
  -- The effect on the wallet's books: credit, refund.
  effect VARCHAR(10) NOT NULL,
  -- The signed message, to be published again: JSON as text, since the signature is over these very bytes.
  subject VARCHAR(100) NOT NULL,
  message MEDIUMTEXT NOT NULL,
  next_time DATETIME(3) NOT NULL,
  -- It is not published again before this time.
  again_time DATETIME(3) NOT NULL,
  -- How often the effect was missing from the wallet's books since the message was last in the outbox.
  asked INT UNSIGNED NOT NULL DEFAULT 0,
  -- How often it was published again.
  again INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, effect),
  KEY idx_next_time (next_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The refunds of orders: at most one for an order, which the provider knows by the order's id.
CREATE TABLE IF NOT EXISTS t_pay_refund (
  order_id VARCHAR(64) NOT NULL PRIMARY KEY,
  pay_channel TINYINT UNSIGNED NOT NULL,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- Who began it: operator or provider.
  origin VARCHAR(10) NOT NULL,
  -- requested, processing, done, failed; moves are in refunds/refund-state.ts.
  state VARCHAR(12) NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  -- The provider's answer to the last failed attempt.
  problem VARCHAR(200) NULL,
  -- When the provider is asked next. NULL: it is not asked.
  next_time DATETIME(3) NULL,
  -- When the provider accepted it, as known here: from then on it belongs to a bill. NULL: not accepted yet.
  accepted_time DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_next_time (next_time),
  KEY idx_accepted_time (accepted_time),
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The moves of staff that were carried out (a refund, a release), written with what they did: a repeat does nothing.
CREATE TABLE IF NOT EXISTS t_pay_carried_out (
  move_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  create_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The comparisons of days with the bill of each channel, and with the wallet (channel `wallet`).
CREATE TABLE IF NOT EXISTS t_pay_comparison (
  bill_date DATE NOT NULL,
  channel VARCHAR(16) NOT NULL,
  -- The latest comparison. NULL: none yet.
  compared_time DATETIME(3) NULL,
  -- Lines of the bill, or credits and refunds of the wallet.
  compared INT UNSIGNED NOT NULL DEFAULT 0,
  -- Why the latest attempt failed, and when the next one is. NULL: it did not fail.
  problem VARCHAR(200) NULL,
  next_time DATETIME(3) NULL,
  PRIMARY KEY (channel, bill_date),
  KEY idx_compared_time (channel, compared_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The differences of a day, by its latest comparison: orders, refunds, the provider's bill and the wallet's books.
CREATE TABLE IF NOT EXISTS t_pay_difference (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  bill_date DATE NOT NULL,
  channel VARCHAR(16) NOT NULL,
  -- The kinds are in payment.contract.ts.
  kind VARCHAR(20) NOT NULL,
  order_id VARCHAR(80) NOT NULL,
  -- '' where it is unknown.
  transaction_id VARCHAR(64) NOT NULL DEFAULT '',
  detail VARCHAR(200) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  -- By an operator who has explained or settled it. NULL: it is open.
  resolve_time DATETIME(3) NULL,
  resolve_reason VARCHAR(200) NULL,
  -- A later comparison that finds the same difference keeps the row.
  UNIQUE KEY uk_difference (bill_date, channel, kind, order_id, transaction_id, detail),
  KEY idx_open (resolve_time, channel, kind),
  KEY idx_order (order_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The refunds in the bills that were compared. A refund here is looked up in all of them, since the day on which the
-- provider counts it may be another one.
CREATE TABLE IF NOT EXISTS t_pay_bill_refund (
  bill_date DATE NOT NULL,
  channel VARCHAR(16) NOT NULL,
  line_no INT UNSIGNED NOT NULL,
  order_id VARCHAR(80) NOT NULL,
  transaction_id VARCHAR(64) NOT NULL,
  -- Fen.
  amount BIGINT UNSIGNED NOT NULL,
  -- The number of the refund; '' where the bill has none.
  refund_id VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (channel, bill_date, line_no),
  KEY idx_order (order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Lines of a provider's bill that an operator stored from a file, where the provider's download is not available.
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
  -- The number of a refund; '' where the bill has none.
  refund_id VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (bill_date, channel, line_no)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
