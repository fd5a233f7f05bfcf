CREATE TABLE IF NOT EXISTS t_gift_config (
  gift_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  price BIGINT NOT NULL,
  gift_name VARCHAR(60) NOT NULL,
  -- 0 not on sale, 1 on sale.
  status TINYINT NOT NULL DEFAULT 1,
  cover_img_url VARCHAR(300) NOT NULL DEFAULT '',
  svga_url VARCHAR(300) NOT NULL DEFAULT '',
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  CONSTRAINT ck_price_positive CHECK (price > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row for each gift that was settled, succeeded or failed.
CREATE TABLE IF NOT EXISTS t_gift_record (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id VARCHAR(64) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- The receiver.
  object_id BIGINT UNSIGNED NOT NULL,
  room_id BIGINT UNSIGNED NOT NULL,
  gift_id BIGINT UNSIGNED NOT NULL,
  count INT UNSIGNED NOT NULL,
  -- The price of one when the gift was accepted, in the unit below.
  price BIGINT NOT NULL,
  -- 1 coins.
  price_unit TINYINT NOT NULL DEFAULT 1,
  -- 1 live room.
  source TINYINT NOT NULL DEFAULT 1,
  -- 0 failed, 1 succeeded.
  status TINYINT NOT NULL,
  reason VARCHAR(40) NULL,
  -- The receiver's share, points (100 to a coin); income is these in whole coins, rounded down.
  income_points BIGINT NOT NULL DEFAULT 0,
  income BIGINT GENERATED ALWAYS AS (income_points DIV 100) STORED,
  -- A hash of what the client asked for: it tells a repeat of a request id from its reuse.
  content_hash CHAR(32) NOT NULL,
  -- When it was accepted: JetStream's time of its message in the queue, floored to ms.
  send_time DATETIME(3) NOT NULL,
  -- When it was settled (UTC).
  update_time DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  -- Fields without a column: {"type": 1} of a PK gift.
  json JSON NULL,
  UNIQUE KEY uk_order_id (order_id),
  KEY idx_user (user_id, id),
  -- Received gifts by time, and the scores of battles (gift.totals).
  KEY idx_object (object_id, send_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Gifts that succeeded, and their coins, by the minute in which they were settled: added up from the records every few
-- seconds (minutes.ts). For people to look at; the records decide. Rows of more than two hours ago are deleted.
CREATE TABLE IF NOT EXISTS t_gift_minute (
  minute DATETIME NOT NULL PRIMARY KEY,
  gifts BIGINT UNSIGNED NOT NULL,
  coins BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: the records below this id are added up.
CREATE TABLE IF NOT EXISTS t_gift_minute_position (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  next_record BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The anchors' own shares, each from a time on. Rows are only added (npm run anchor-share). In force is the row with
-- the latest from_time that has come; of several with the same one, the row written last. A row without the signature of
-- services/signed-shares.ts is none.
CREATE TABLE IF NOT EXISTS t_anchor_share (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  anchor_id BIGINT UNSIGNED NOT NULL,
  -- Whole percent; NULL: the default (ANCHOR_SHARE_PERCENT).
  percent TINYINT UNSIGNED NULL,
  from_time DATETIME(3) NOT NULL,
  -- The operator who wrote the row.
  operator VARCHAR(100) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  -- The key of GIFT_BOOK_KEYS, and HMAC-SHA256 by it over the columns above but id.
  key_name VARCHAR(16) NOT NULL,
  signature BINARY(32) NOT NULL,
  -- A copy of a signed row is refused.
  UNIQUE KEY uk_written (anchor_id, from_time, create_time),
  CONSTRAINT ck_percent CHECK (percent IS NULL OR percent <= 100)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The gifts of a new system.
INSERT IGNORE INTO t_gift_config (gift_id, price, gift_name, status, cover_img_url, svga_url, create_time, update_time) VALUES
  (22, 90, '天使少女-2', 1, '../svga/img/天使.png', '../svga/天使.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (23, 20, '皇冠-2', 1, '../svga/img/皇冠.png', '../svga/皇冠.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (24, 1, '爱心气泡-2', 1, '../svga/img/爱心.png', '../svga/爱心.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (25, 500, '保时捷-2', 1, '../svga/img/跑车.png', '../svga/跑车.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (27, 45, '飞天火箭-2', 1, '../svga/img/火箭.jpg', '../svga/火箭.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (28, 45, '万圣节-2', 1, '../svga/img/女巫.png', '../svga/女巫.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)),
  (29, 20, '神灯仙女-2', 1, '../svga/img/神灯仙女.png', '../svga/仙女.svga', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3));
