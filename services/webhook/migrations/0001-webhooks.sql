-- The subscriptions.
CREATE TABLE IF NOT EXISTS t_webhook (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  url VARCHAR(2048) NOT NULL,
  description VARCHAR(200) NOT NULL,
  -- The names of its events, as JSON.
  events TEXT NOT NULL,
  -- none, room, user: the calls of one room or user are made one after the other.
  order_by VARCHAR(4) NOT NULL,
  enabled TINYINT UNSIGNED NOT NULL,
  -- failing, gone, asked. NULL: it is on.
  disabled_reason VARCHAR(10) NULL,
  disabled_time DATETIME(3) NULL,
  -- When the first call failed after a success. NULL: the last call succeeded, or there was none.
  failing_since DATETIME(3) NULL,
  -- Sealed with a key of WEBHOOK_KEYS (services/webhook/secrets.ts).
  secret VARCHAR(255) NOT NULL,
  -- It signs beside the other one until then.
  old_secret VARCHAR(255) NULL,
  old_secret_until DATETIME(3) NULL,
  -- The writes that made it and gave it its secret last: a repeat answers the same.
  write_id CHAR(36) NULL,
  -- SHA-256 of what the write that made it asked for, hex: a repeat asks for the same.
  write_content CHAR(64) NULL,
  rotation_id CHAR(36) NULL,
  -- Counted every few seconds: deliveries that wait, and since when the oldest of them is due. NULL: none is.
  waiting INT UNSIGNED NOT NULL DEFAULT 0,
  due_since DATETIME(3) NULL,
  -- Deliveries that were dropped for a bound.
  dropped BIGINT UNSIGNED NOT NULL DEFAULT 0,
  dropped_time DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  -- Its rows are removed. NULL: it is there.
  deleted_time DATETIME(3) NULL,
  UNIQUE KEY uk_write (write_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Which node makes the calls of a subscription.
CREATE TABLE IF NOT EXISTS t_webhook_lease (
  webhook_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  holder VARCHAR(150) NOT NULL,
  until_time DATETIME(3) NOT NULL,
  KEY idx_holder (holder)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The bodies of calls: one row an event, or part of one, for all subscriptions. It never changes.
CREATE TABLE IF NOT EXISTS t_webhook_message (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- The header webhook-id, derived from the event's id and the part.
  message_id VARCHAR(40) NOT NULL,
  event VARCHAR(60) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  bytes INT UNSIGNED NOT NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_message (message_id),
  KEY idx_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: the bytes of all bodies, changed together with them.
CREATE TABLE IF NOT EXISTS t_webhook_store (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  bytes BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A message for a subscription.
CREATE TABLE IF NOT EXISTS t_webhook_delivery (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  webhook_id BIGINT UNSIGNED NOT NULL,
  message_id BIGINT UNSIGNED NOT NULL,
  -- The room or user in whose order it is made; '' for none.
  order_key VARCHAR(20) NOT NULL,
  -- A state of services/webhook/delivery-state.ts.
  state TINYINT UNSIGNED NOT NULL,
  -- Tries since it came in or was replayed.
  tries TINYINT UNSIGNED NOT NULL,
  -- When it is due, while it waits; when it ended.
  next_time DATETIME(3) NOT NULL,
  -- Of the last try. NULL: there was none.
  last_time DATETIME(3) NULL,
  duration_ms INT UNSIGNED NULL,
  -- NULL: it was not answered, see failure.
  http_status SMALLINT UNSIGNED NULL,
  failure VARCHAR(40) NULL,
  -- The beginning, without control characters.
  answer VARCHAR(1024) NULL,
  create_time DATETIME(3) NOT NULL,
  -- Also the log of a subscription.
  UNIQUE KEY uk_delivery (webhook_id, message_id),
  KEY idx_message (message_id),
  KEY idx_due (webhook_id, state, next_time, id),
  KEY idx_key (webhook_id, state, order_key, id),
  KEY idx_state (webhook_id, state, message_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
