-- expand, release 2
-- Who names a moderator locks one of these rows, by the anchor: rows of t_room_moderator that are not there yet cannot be
-- locked.
CREATE TABLE IF NOT EXISTS t_room_moderator_lock (
  slot TINYINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

INSERT IGNORE INTO t_room_moderator_lock (slot) VALUES
  (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);
