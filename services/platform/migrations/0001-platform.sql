-- API keys of the platform's backends. A revoked key stays, so that its id is never used again.
CREATE TABLE IF NOT EXISTS t_api_key (
  key_id CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  -- SHA-256 of the whole key, hex: nobody who reads this can use it.
  digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Names of services/api-scopes.ts, with commas.
  scopes VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Requests in a minute. NULL: the default.
  per_minute INT UNSIGNED NULL,
  created_by VARCHAR(100) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  -- NULL: the key is valid.
  revoked_by VARCHAR(100) NULL,
  revoked_time DATETIME(3) NULL,
  KEY idx_revoked_time (revoked_time, key_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- How often the keys have changed: one row, 1. Who changes a key locks it first, so a reader who sees a revision sees
-- every change up to it.
CREATE TABLE IF NOT EXISTS t_api_key_revision (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  revision BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What became of each Idempotency-Key of the server API; the states and their moves are in idempotency-state.ts.
CREATE TABLE IF NOT EXISTS t_idempotency (
  idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  -- Of path and params: the same content has the same.
  fingerprint BINARY(16) NOT NULL,
  -- 1 under way, 2 answered, 3 free.
  state TINYINT NOT NULL,
  -- The try that began last. It alone may end, with an answer or without.
  attempt BINARY(16) NOT NULL,
  -- Until when the attempt may be under way.
  lease_time DATETIME(3) NOT NULL,
  -- Until when an attempt may be under way that another one took over.
  earlier_lease_time DATETIME(3) NOT NULL,
  -- The outcome as JSON, at most 16 kB.
  answer MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  -- When the last attempt began.
  create_time DATETIME(3) NOT NULL,
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
