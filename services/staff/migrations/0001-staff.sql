-- Persons of the staff. A person stays for ever, so that a name means one person in the audit.
CREATE TABLE IF NOT EXISTS t_staff_person (
  name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  -- viewer, support, finance or admin: services/staff-roles.ts.
  role VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- invited, active or disabled: services/staff/person-state.ts.
  state VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- scrypt$N$r$p$salt$hash. NULL: not enrolled.
  password VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- The secret of the authenticator app, encrypted with STAFF_KEYS and bound to the name.
  totp_secret VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- The last step of 30 s whose code was accepted: no code is accepted twice.
  totp_step BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- The MAC of the setup code (services/staff/token-macs.ts), and until when it is valid.
  setup_hash BINARY(32) NULL,
  setup_expires_time DATETIME(3) NULL,
  -- Who gave the last setup code: staff:<name>, or console:<name>, and so knows it. NULL: none was given.
  setup_by VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Until when the person decides on no proposal: services/staff/deciders.ts. NULL: there is no such time.
  decides_from DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  last_login_time DATETIME(3) NULL,
  KEY idx_role (role, state),
  CONSTRAINT ck_enrolled CHECK (state <> 'active' OR (password IS NOT NULL AND totp_secret IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS t_staff_session (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- SHA-256 of the token, by which it is found: nobody who reads this can use it.
  token_hash BINARY(32) NOT NULL,
  -- Of token, name and expires_time, by a key of STAFF_KEYS: nobody who writes this can make a session.
  mac BINARY(32) NOT NULL,
  name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address VARCHAR(64) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  expires_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_token (token_hash),
  KEY idx_name (name, id),
  KEY idx_expires (expires_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Failed logins: of a person from an address (1), of an address (2, without a name), of a person from addresses that
-- are not known (3, without an address).
CREATE TABLE IF NOT EXISTS t_staff_attempt (
  kind TINYINT NOT NULL,
  name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address VARCHAR(64) NOT NULL,
  failures INT UNSIGNED NOT NULL,
  -- When the last one was.
  failed_time DATETIME(3) NOT NULL,
  PRIMARY KEY (kind, name, address),
  KEY idx_failed_time (failed_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The addresses from which a person has logged in.
CREATE TABLE IF NOT EXISTS t_staff_address (
  name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address VARCHAR(64) NOT NULL,
  login_time DATETIME(3) NOT NULL,
  PRIMARY KEY (name, address),
  KEY idx_login_time (login_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What persons of the staff asked for, and what came of it. Rows are only added, each with its seal: one before the call
-- is carried out, and one with its outcome. A call without a second row means that the node died in between, or is at it.
CREATE TABLE IF NOT EXISTS t_staff_audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- Of an outcome: the row of its call, and nothing of what the call's row has. NULL in the row of a call.
  call_id BIGINT UNSIGNED NULL,
  person VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  role VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  address VARCHAR(64) NULL,
  route VARCHAR(100) NULL,
  about VARCHAR(100) NULL,
  -- JSON as text, since the seal is over these very bytes.
  params TEXT NULL,
  -- started in the row of a call; succeeded, or the failure's name, in that of its outcome.
  outcome VARCHAR(100) NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_call (call_id),
  KEY idx_person (person, id),
  KEY idx_route (route, id),
  KEY idx_about (about, id),
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
