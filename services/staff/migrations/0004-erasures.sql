-- expand, release 2
-- The erasures of users that two persons have decided on; the states and their moves are in erasures/erasure-state.ts. A row
-- stays: the id of an erased user is never used again.
CREATE TABLE IF NOT EXISTS t_staff_erasure (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- The proposal that was approved.
  proposal_id BIGINT UNSIGNED NOT NULL,
  -- 0 closing, 1 erasing, 2 erased.
  state TINYINT NOT NULL,
  -- 1: the coins and the income that are left are given up.
  give_up TINYINT NOT NULL,
  -- The services that have erased what they have of the person, with commas.
  done VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  -- What the next service waits for, or why it failed. NULL: nothing.
  problem VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Of erasing: how often the next service was asked, and when it is asked next.
  tries INT UNSIGNED NOT NULL DEFAULT 0,
  next_try_time DATETIME(3) NULL,
  create_time DATETIME(3) NOT NULL,
  erased_time DATETIME(3) NULL,
  KEY idx_due (state, next_try_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The seal has the digest of params_salt and params (mixins/seals/erasable-text.ts). Where the params were erased, with the
-- user whom the call is about or after AUDIT_KEEP_DAYS, both are NULL. Of rows of release 1, without a digest, the params
-- themselves are sealed and stay.
ALTER TABLE t_staff_audit
  ADD COLUMN params_salt CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN params_digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ALGORITHM=INSTANT;

-- The moves about a user. Of kind erase it moves no coins, and its subject is the user.
ALTER TABLE t_staff_proposal ADD INDEX idx_user (user_id), ALGORITHM=INPLACE, LOCK=NONE;
