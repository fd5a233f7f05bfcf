-- One row: what is counted at present.
CREATE TABLE IF NOT EXISTS t_rank_state (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  -- Sums and counted ids belong to a generation. A rebuild from nothing begins a new one.
  generation SMALLINT UNSIGNED NOT NULL,
  -- The time zone of its periods.
  zone VARCHAR(64) NOT NULL,
  begun_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The sum of each user on each board.
CREATE TABLE IF NOT EXISTS t_rank_total (
  generation SMALLINT UNSIGNED NOT NULL,
  -- See kinds in services/rank/boards.ts.
  kind TINYINT UNSIGNED NOT NULL,
  -- A day 20261126, a week its Monday, a month 202611; 0 for all time and for rooms.
  period INT UNSIGNED NOT NULL,
  -- The room or the anchor; 0 for boards of everybody.
  scope BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- Up to the largest safe integer of JavaScript.
  coins BIGINT NOT NULL CHECK (coins > 0 AND coins <= 9007199254740991),
  -- The time of the user's latest gift that counts, ms since 1970: the sum was reached then. The earlier one is first.
  reached_ms BIGINT NOT NULL,
  PRIMARY KEY (generation, kind, period, scope, user_id),
  KEY idx_rank (generation, kind, period, scope, coins DESC, reached_ms, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The record ids that are counted: chunk n has the ids from n * 65536 on. Changed together with the sums.
CREATE TABLE IF NOT EXISTS t_rank_counted (
  generation SMALLINT UNSIGNED NOT NULL,
  chunk BIGINT UNSIGNED NOT NULL,
  -- A bit for each id, packed (services/rank/counted-ids.ts). Empty: none.
  bits VARBINARY(10000) NOT NULL,
  PRIMARY KEY (generation, chunk)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The rooms with a board.
CREATE TABLE IF NOT EXISTS t_rank_room (
  room_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  -- The time of its latest gift, or of a later look that found the room live, ms since 1970.
  seen_ms BIGINT NOT NULL,
  KEY idx_seen (seen_ms)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The rebuild and the verification that were asked for last.
CREATE TABLE IF NOT EXISTS t_rank_job (
  -- rebuild, verify.
  name VARCHAR(10) NOT NULL PRIMARY KEY,
  -- A move of state in services/rank/job-state.ts: running, done, failed.
  state VARCHAR(10) NOT NULL,
  -- Gifts that were settled before are left out. NULL: none.
  since_time DATETIME(3) NULL,
  -- The record ids: where it continues, and where it ends. NULL: not begun.
  cursor_id BIGINT UNSIGNED NULL,
  until_id BIGINT UNSIGNED NULL,
  -- Gifts that were read, and those of them that were not counted.
  gifts BIGINT UNSIGNED NOT NULL DEFAULT 0,
  counted BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- Another one from then on is to follow, asked for while it ran.
  again_since DATETIME(3) NULL,
  begun_time DATETIME(3) NOT NULL,
  ended_time DATETIME(3) NULL,
  -- What a verification found, as JSON; the reason where it failed.
  result TEXT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
