-- Live rooms. The unique anchor allows a user one live room. An id is never used again: the counter survives restarts,
-- and rows are moved out one by one, never truncated.
CREATE TABLE IF NOT EXISTS t_living_room (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  anchor_id BIGINT UNSIGNED NOT NULL,
  -- 1 normal, 2 PK.
  type TINYINT NOT NULL,
  -- 1 live, 0 closed.
  status TINYINT NOT NULL DEFAULT 1,
  room_name VARCHAR(60) NOT NULL,
  covert_img VARCHAR(300) NOT NULL DEFAULT '',
  watch_num INT UNSIGNED NOT NULL DEFAULT 0,
  good_num INT UNSIGNED NOT NULL DEFAULT 0,
  start_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  -- 1 once the anchor has been connected to the room over IM. Only then can her absence close it.
  anchor_seen TINYINT NOT NULL DEFAULT 0,
  -- When the anchor's present absence began; NULL while she is present, or where that is unknown.
  away_since DATETIME(3) NULL,
  -- The guest of a battle, who receives gifts in the room beside the anchor, and the battle; NULL without one.
  guest_id BIGINT UNSIGNED NULL,
  battle_id BIGINT UNSIGNED NULL,
  -- The newest battle whose guest was unlinked. Ids ascend: no battle up to it links a guest any more.
  last_battle_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- The platform's own id of the room, UTF-8: bytes compare exactly, texts would without spaces at their end. NULL where
  -- it has none.
  external_id VARBINARY(256) NULL,
  UNIQUE KEY uk_anchor_id (anchor_id),
  UNIQUE KEY uk_external_id (external_id),
  KEY idx_type (type, id),
  KEY idx_guest_id (guest_id),
  KEY idx_away_since (away_since)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: the time of the last check of all rooms, and the epoch of the presence at that check.
CREATE TABLE IF NOT EXISTS t_living_room_check (
  id TINYINT NOT NULL PRIMARY KEY,
  epoch VARCHAR(40) NOT NULL,
  checked_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_living_room_check (id, epoch, checked_time) VALUES (1, '', '2000-01-01');

-- Closed rooms, under the ids they had while they were live.
CREATE TABLE IF NOT EXISTS t_living_room_record (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  anchor_id BIGINT UNSIGNED NOT NULL,
  type TINYINT NOT NULL,
  status TINYINT NOT NULL DEFAULT 0,
  room_name VARCHAR(60) NOT NULL,
  covert_img VARCHAR(300) NOT NULL DEFAULT '',
  watch_num INT UNSIGNED NOT NULL DEFAULT 0,
  good_num INT UNSIGNED NOT NULL DEFAULT 0,
  start_time DATETIME(3) NOT NULL,
  end_time DATETIME(3) NOT NULL,
  update_time DATETIME(3) NOT NULL,
  -- As of the live room. A later room may have the same one.
  external_id VARBINARY(256) NULL,
  -- Who of the staff closed it, and why; NULL where the anchor, the platform or the system did.
  closed_by VARCHAR(100) NULL,
  close_reason VARCHAR(200) NULL,
  KEY idx_external_id (external_id, id),
  KEY idx_anchor_id (anchor_id, id),
  KEY idx_end_time (end_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The moderators of each anchor, in all her rooms.
CREATE TABLE IF NOT EXISTS t_room_moderator (
  anchor_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  create_time DATETIME(3) NOT NULL,
  PRIMARY KEY (anchor_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The writes of the platform that opened or closed a room, or found it open or closed, each in the transaction of its
-- change: a repeat finds the room and what was done, and touches no later one.
CREATE TABLE IF NOT EXISTS t_room_write (
  write_id VARCHAR(64) NOT NULL PRIMARY KEY,
  room_id BIGINT UNSIGNED NOT NULL,
  -- 1 where this write opened or closed the room, 0 where it was open or closed already.
  changed TINYINT NOT NULL,
  create_time DATETIME(3) NOT NULL,
  KEY idx_create_time (create_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
