-- Orders to move money: what was ordered, by which API key. Rows are only added; what became of them is in t_money_state.
CREATE TABLE IF NOT EXISTS t_money_order (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- The business id in the wallet's ledger: platform:credit:<order id>, platform:adjust:<write id>,
  -- platform:payout:<payout id>.
  biz_id VARCHAR(100) NOT NULL,
  -- 0 credit, 1 adjust, 2 payout.
  kind TINYINT NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- Coins of a credit or an adjustment, points of a payout. Below zero where an adjustment takes.
  amount BIGINT NOT NULL,
  -- 1 where it began as a proposal, which a person of staff must approve.
  proposed TINYINT NOT NULL,
  -- Of an adjustment by staff: "staff", and its business id is platform:adjust:staff:<move id>.
  key_id CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(200) NULL,
  -- The order as signed for the wallet, or as a proposal.
  signed_order VARCHAR(1000) NOT NULL,
  create_time DATETIME(3) NOT NULL,
  UNIQUE KEY uk_biz_id (biz_id),
  KEY idx_account (user_id, kind, create_time),
  CONSTRAINT ck_amount CHECK (amount <> 0 AND (kind = 1 OR amount > 0)),
  CONSTRAINT ck_proposed CHECK (proposed = 0 OR (proposed = 1 AND kind = 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What became of each order; the states and their moves are in order-state.ts.
CREATE TABLE IF NOT EXISTS t_money_state (
  order_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- 0 proposed, 1 pending, 2 done, 3 refused, 4 declined, 5 expired.
  state TINYINT NOT NULL,
  -- Of refused: a name of config/errors.ts.
  refusal VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Of done, where coins moved: what the account had right after them.
  balance_after BIGINT NULL,
  -- Of a proposal: when it expires, and who decided.
  expires_time DATETIME(3) NULL,
  decided_by VARCHAR(100) NULL,
  decided_time DATETIME(3) NULL,
  decision_reason VARCHAR(200) NULL,
  -- Of a proposal that was approved: the order as signed for the wallet.
  signed_order VARCHAR(1000) NULL,
  -- Of pending: how often it was sent to the wallet, and when it is sent next.
  tries INT UNSIGNED NOT NULL DEFAULT 0,
  next_try_time DATETIME(3) NULL,
  update_time DATETIME(3) NOT NULL,
  KEY idx_due (state, next_try_time),
  KEY idx_expires (state, expires_time),
  CONSTRAINT ck_refusal CHECK ((state = 3) = (refusal IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What staff moves, or proposes to move, on an account; it counts for four eyes together with the adjustments of API keys.
-- Rows of moves that end without moving anything are deleted.
CREATE TABLE IF NOT EXISTS t_money_staff_move (
  move_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- What the move is, e.g. refund:<order id>: of moves with one key the staff service writes one at a time.
  move_key VARCHAR(170) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- Magnitude; points are rounded up.
  coins BIGINT NOT NULL,
  create_time DATETIME(3) NOT NULL,
  PRIMARY KEY (move_id, user_id),
  KEY idx_account (user_id, create_time),
  KEY idx_create_time (create_time),
  CONSTRAINT ck_staff_coins CHECK (coins >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A row for each account that coins or points were moved on by hand: who decides on one locks it, and counts the decision.
CREATE TABLE IF NOT EXISTS t_money_account (
  user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  decisions BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
