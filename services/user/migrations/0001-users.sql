-- The users. The service makes the ids (user-id.ts): over 2^53, in the order of registration.
CREATE TABLE IF NOT EXISTS t_user (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  nick_name VARCHAR(30) NOT NULL,
  avatar VARCHAR(300) NOT NULL DEFAULT '',
  -- When the user's last token was issued, or all were revoked, ms since 1970 by the database's clock. It grows by 1 at
  -- least each time, so it orders a user's logins and revocations.
  last_issued_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The phone of each user. The unique phone decides which of parallel first logins registers the user.
CREATE TABLE IF NOT EXISTS t_user_phone (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  phone VARCHAR(20) NOT NULL,
  -- The digits from the last to the first: staff find a user by the end of a number.
  phone_reversed VARCHAR(20) GENERATED ALWAYS AS (REVERSE(phone)) STORED,
  -- 1 valid.
  status TINYINT NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_phone (phone),
  KEY idx_phone_reversed (phone_reversed, user_id),
  KEY idx_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Users by their ids at the platform. A row is written with its user and never changed. The primary key decides which of
-- parallel first requests makes the user. The id is kept as UTF-8 bytes: collations of text take "a" and "a " for one.
CREATE TABLE IF NOT EXISTS t_user_external (
  external_id VARBINARY(256) NOT NULL PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Every login code that was sent. A code logs in where both Redis and its row here allow it: Redis counts by address and
-- can be written by other services, the row bounds what they could gain by that.
CREATE TABLE IF NOT EXISTS t_sms (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- A keyed hash of the code (login-codes.ts): nobody who reads this can log in with it.
  code VARCHAR(43) NOT NULL,
  phone VARCHAR(20) NOT NULL,
  -- The address that requested it, and the one that logged in with it, as keys of limits (services/client-address.ts).
  address VARCHAR(64) NOT NULL DEFAULT '',
  used_by VARCHAR(64) NOT NULL DEFAULT '',
  -- How often this code was guessed, by all addresses together.
  tries INT UNSIGNED NOT NULL DEFAULT 0,
  -- When somebody logged in with it.
  used_time DATETIME(3) NULL,
  send_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_phone (phone, send_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- How many login codes were sent in a day (Beijing time), for the limits: to each phone, and to all ('').
CREATE TABLE IF NOT EXISTS t_sms_day (
  day DATE NOT NULL,
  phone VARCHAR(20) NOT NULL,
  sent INT UNSIGNED NOT NULL,
  PRIMARY KEY (day, phone)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The sessions that are not ended: one for each login. Their tokens are signed and not stored.
CREATE TABLE IF NOT EXISTS t_session (
  user_id BIGINT UNSIGNED NOT NULL,
  session_id BIGINT UNSIGNED NOT NULL,
  issued_ms BIGINT UNSIGNED NOT NULL,
  expires_time DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id, session_id),
  KEY idx_expires_time (expires_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Revoked tokens: that of one session, or all of a user that were issued until a time. Gateways keep a copy, which they
-- read by create_time, the time of the last statement that wrote the row.
CREATE TABLE IF NOT EXISTS t_revocation (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  -- 0: all tokens of the user that were issued until issued_until_ms.
  session_id BIGINT UNSIGNED NOT NULL,
  issued_until_ms BIGINT UNSIGNED NOT NULL,
  -- By then every revoked token has expired.
  expires_time DATETIME(3) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_session (user_id, session_id),
  KEY idx_create_time (create_time, id),
  KEY idx_expires_time (expires_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Who is muted or banned: facts, never changed and never deleted. A restriction is in force until its time by the
-- database's clock, unless it was lifted.
CREATE TABLE IF NOT EXISTS t_restriction (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  -- 1 mute, 2 ban.
  kind TINYINT NOT NULL,
  -- 0: everywhere.
  room_id BIGINT UNSIGNED NOT NULL,
  -- 9999-12-31: for ever.
  until_time DATETIME(3) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- `staff:NAME`, or the user id of the anchor or of her moderator.
  placed_by VARCHAR(100) NOT NULL,
  -- Of the call that placed it: a repeat is the same restriction.
  write_id CHAR(36) NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_write_id (write_id),
  KEY idx_user_id (user_id, until_time),
  KEY idx_room_id (room_id, until_time),
  KEY idx_until_time (until_time, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The lifted restrictions, each once, for ever.
CREATE TABLE IF NOT EXISTS t_restriction_lift (
  restriction_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  reason VARCHAR(200) NOT NULL,
  lifted_by VARCHAR(100) NOT NULL,
  create_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- When a restriction was placed or lifted, for the nodes that keep a copy: they read by create_time, the time of the
-- statement. A row that may have been committed late has a second one.
CREATE TABLE IF NOT EXISTS t_restriction_change (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  restriction_id BIGINT UNSIGNED NOT NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_create_time (create_time, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
