-- Every operator's call and what came of it. Rows are only added, each with its seal: one before the call is carried
-- out, and one with its outcome after it. A call without a second row means that the node died in between, or that the
-- database was away.
CREATE TABLE IF NOT EXISTS t_operator_audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- Of an outcome: the row of its call. NULL in the row of a call.
  call_id BIGINT UNSIGNED NULL,
  operator VARCHAR(100) NOT NULL,
  action VARCHAR(100) NOT NULL,
  -- The call's parameters: JSON as text, since the seal is over these very bytes. NULL in the row of an outcome.
  params MEDIUMTEXT NULL,
  -- started in the row of a call; succeeded, or the failure's name, in that of its outcome.
  outcome VARCHAR(100) NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_call (call_id),
  KEY idx_action (action),
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
