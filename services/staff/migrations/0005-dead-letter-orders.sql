-- expand, release 2
-- 1 where it is forged or signed with a key that its reader lacked.
ALTER TABLE t_staff_dead_letter ADD COLUMN unknown_key TINYINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- All orders that a letter names: a message of gifts has many. t_staff_dead_letter.order_id has the one of a letter that
-- names one.
CREATE TABLE IF NOT EXISTS t_staff_dead_letter_order (
  order_id VARCHAR(64) NOT NULL,
  -- Of t_staff_dead_letter.
  handled_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, handled_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO t_staff_dead_letter_order (order_id, handled_id)
SELECT order_id, id FROM t_staff_dead_letter WHERE order_id IS NOT NULL;
