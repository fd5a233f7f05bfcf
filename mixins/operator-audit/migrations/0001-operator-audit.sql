-- Every operator's call and its outcome. Written before the call is carried out, completed after it.
CREATE TABLE IF NOT EXISTS t_operator_audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  operator VARCHAR(100) NOT NULL,
  action VARCHAR(100) NOT NULL,
  params JSON NOT NULL,
  -- started, succeeded, or the failure's name. A row that stays "started" means that the node died in between.
  outcome VARCHAR(100) NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
