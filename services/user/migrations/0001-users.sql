-- The users. The service makes the ids (user-id.ts): over 2^53, in the order of registration.
CREATE TABLE IF NOT EXISTS t_user (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  nick_name VARCHAR(30) NOT NULL,
  avatar VARCHAR(300) NOT NULL DEFAULT '',
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The phone of each user. The unique phone decides which of parallel first logins registers the user.
CREATE TABLE IF NOT EXISTS t_user_phone (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  phone VARCHAR(20) NOT NULL,
  -- 1 valid.
  status TINYINT NOT NULL DEFAULT 1,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_phone (phone),
  KEY idx_user_id (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Every login code that was sent, for support. Redis decides whether a code is valid.
CREATE TABLE IF NOT EXISTS t_sms (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code VARCHAR(10) NOT NULL,
  phone VARCHAR(20) NOT NULL,
  send_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_phone (phone, send_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
