-- expand, release 2
-- When the person was erased (services/user/erasure.ts): the names are gone, and the id stays. NULL: was not.
ALTER TABLE t_user ADD COLUMN erased_time DATETIME(3) NULL, ALGORITHM=INSTANT;

-- Erased users who had an id at the platform: a JWT that was issued until then makes no new user. Rows are deleted once
-- every such JWT has expired.
CREATE TABLE IF NOT EXISTS t_user_erased (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- A keyed hash of the external id (erasure.ts): nobody who reads this learns the id.
  name CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- JWTs that were issued until then are refused, ms since 1970.
  issued_until_ms BIGINT UNSIGNED NOT NULL,
  expires_time DATETIME(3) NOT NULL,
  KEY idx_name (name),
  KEY idx_expires_time (expires_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Old login codes are deleted by their time.
ALTER TABLE t_sms ADD INDEX idx_send_time (send_time), ALGORITHM=INPLACE, LOCK=NONE;
