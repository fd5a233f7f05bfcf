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
