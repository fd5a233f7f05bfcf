-- Battles. The states and the moves between them are in battle-state.ts.
CREATE TABLE IF NOT EXISTS t_battle (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind VARCHAR(8) NOT NULL,
  state VARCHAR(10) NOT NULL,
  duration_s INT UNSIGNED NOT NULL,
  -- Counts the changes that the rooms are shown, and the last one that they were shown.
  version INT UNSIGNED NOT NULL DEFAULT 0,
  shown_version INT UNSIGNED NOT NULL DEFAULT 0,
  -- By this database's clock: invited or joined, accepted, its end asked for, its result stored.
  invited_time DATETIME(3) NOT NULL,
  starting_time DATETIME(3) NULL,
  end_asked_time DATETIME(3) NULL,
  ended_time DATETIME(3) NULL,
  -- By this database's clock: it ended without having started.
  closed_time DATETIME(3) NULL,
  -- Who asked for its end; NULL where nobody did.
  ended_by BIGINT UNSIGNED NULL,
  -- By JetStream's clock.
  start_time DATETIME(3) NULL,
  planned_end DATETIME(3) NULL,
  end_time DATETIME(3) NULL,
  -- NULL while the battle has no result, and where nobody wins.
  winner BIGINT UNSIGNED NULL,
  -- 1: the guest may be linked in the room.
  linked TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- 1: the scheduler has something to do for it, now or later.
  work TINYINT UNSIGNED NOT NULL DEFAULT 1,
  KEY idx_work (work, id),
  KEY idx_end (end_time),
  KEY idx_closed (closed_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Side 0 invited; of kind guest it is the anchor.
CREATE TABLE IF NOT EXISTS t_battle_side (
  battle_id BIGINT UNSIGNED NOT NULL,
  side TINYINT UNSIGNED NOT NULL,
  room_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  -- 1: she was seen in the room; before that an anchor's absence does not count.
  seen TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- By this database's clock.
  away_since DATETIME(3) NULL,
  -- 1: she cannot come back, since her room is closed or her account is frozen.
  gone TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- 1: the battle ended because she was away.
  deserted TINYINT UNSIGNED NOT NULL DEFAULT 0,
  -- The result.
  score BIGINT UNSIGNED NULL,
  gifts BIGINT UNSIGNED NULL,
  top_senders TEXT NULL,
  PRIMARY KEY (battle_id, side),
  KEY idx_user (user_id, battle_id),
  KEY idx_room (room_id, battle_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Who is in an open battle: kind 0 a room, 1 a user. The key decides between battles of one moment.
CREATE TABLE IF NOT EXISTS t_battle_slot (
  kind TINYINT UNSIGNED NOT NULL,
  holder BIGINT UNSIGNED NOT NULL,
  battle_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (kind, holder),
  KEY idx_battle (battle_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: counts the changes of what battles count gifts. Nodes compare it with what they have in memory.
CREATE TABLE IF NOT EXISTS t_battle_revision (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  revision BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT INTO t_battle_revision (id, revision) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM t_battle_revision);

-- The live scores of battles that count gifts. Shown only: results come from the gift records.
CREATE TABLE IF NOT EXISTS t_battle_score (
  battle_id BIGINT UNSIGNED NOT NULL,
  side TINYINT UNSIGNED NOT NULL,
  score BIGINT UNSIGNED NOT NULL,
  gifts BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (battle_id, side)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The gifts in the live scores, so that a repeat counts once. Deleted after the result.
CREATE TABLE IF NOT EXISTS t_battle_gift (
  battle_id BIGINT UNSIGNED NOT NULL,
  record_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (battle_id, record_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Gifts to a side that became dead letters. 1: the result leaves it out, also where it is replayed later.
CREATE TABLE IF NOT EXISTS t_battle_excluded (
  battle_id BIGINT UNSIGNED NOT NULL,
  order_id VARCHAR(64) NOT NULL,
  gift_time DATETIME(3) NOT NULL,
  excluded TINYINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (battle_id, order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
