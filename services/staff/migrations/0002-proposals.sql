-- What persons of the staff asked to move: one row for every move, written before anything moves. Rows are only added, each
-- with its seal; what became of them is in t_staff_proposal_state.
CREATE TABLE IF NOT EXISTS t_staff_proposal (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- The place in proposalKinds (proposals/instruction.ts).
  kind TINYINT NOT NULL,
  -- Whose money moves: the payer of an order, the user of an adjustment, the anchor of a payout or hold; of the shares of
  -- several anchors the payer of the refunded order.
  user_id BIGINT UNSIGNED NOT NULL,
  -- The order id, or the id that was given to the adjustment, payout or hold.
  subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Magnitude of all that moves; points are rounded up.
  coins BIGINT NOT NULL,
  -- What will be carried out, JSON as text, since the seal is over these very bytes.
  instruction MEDIUMTEXT NOT NULL,
  person VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- 1 where another person had to approve it.
  proposed TINYINT NOT NULL,
  -- Its id at the services that count it for four eyes and carry it out: random, so that it never comes again.
  move_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Of an adjustment, payout or hold of free income: its kind and given id, for ever.
  once_key VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_once (once_key),
  UNIQUE KEY uk_move (move_id),
  KEY idx_subject (subject),
  CONSTRAINT ck_coins CHECK (coins >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What became of each; the states and their moves are in proposals/proposal-state.ts.
CREATE TABLE IF NOT EXISTS t_staff_proposal_state (
  proposal_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- 0 open, 1 approved, 2 done, 3 refused, 4 declined, 5 expired.
  state TINYINT NOT NULL,
  -- While it is open or approved: the kind and what it is about, so that there is one at a time. NULL where once_key says so.
  open_key VARCHAR(170) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Of refused: a name of config/errors.ts.
  refusal VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Of done: what the service answered, JSON; NULL where it is too long.
  outcome TEXT NULL,
  -- When an open one expires.
  expires_time DATETIME(3) NULL,
  -- Who approved or declined it. NULL where nobody had to.
  decided_by VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  decided_time DATETIME(3) NULL,
  decision_reason VARCHAR(200) NULL,
  -- Of approved: how often it was tried, and when it is tried next.
  tries INT UNSIGNED NOT NULL DEFAULT 0,
  next_try_time DATETIME(3) NULL,
  -- 1 while it counts for four eyes.
  counted TINYINT NOT NULL,
  update_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_open (open_key),
  KEY idx_due (state, next_try_time),
  KEY idx_expires (state, expires_time),
  KEY idx_counted (counted, state),
  CONSTRAINT ck_refusal CHECK ((state = 3) = (refusal IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
