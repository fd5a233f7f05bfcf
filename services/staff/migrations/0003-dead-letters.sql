-- Dead letters on which persons of the staff have decided. The row is there before anything happens to the letter.
CREATE TABLE IF NOT EXISTS t_staff_dead_letter (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- Its number and time in the stream DEAD: a stream that was made again has the numbers again, with other times.
  letter_id BIGINT UNSIGNED NOT NULL,
  letter_time DATETIME(3) NOT NULL,
  channel VARCHAR(100) NOT NULL,
  subject VARCHAR(300) NOT NULL,
  dead_reason VARCHAR(500) NOT NULL,
  -- The order that it names; NULL where it names none or several.
  order_id VARCHAR(64) NULL,
  forged TINYINT NOT NULL,
  -- 1 where it is forged or signed with a key that its reader lacked.
  unknown_key TINYINT NOT NULL,
  size INT UNSIGNED NOT NULL,
  -- replay or giveUp.
  decision VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- begun, done or freed: services/staff/dead-letters/handling-state.ts.
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- How often a decision has begun.
  attempt INT UNSIGNED NOT NULL DEFAULT 1,
  -- Every byte of one that was to be given up.
  data MEDIUMBLOB NULL,
  person VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(200) NOT NULL,
  -- When the decision began, and until when whoever began may be at it.
  create_time DATETIME(3) NOT NULL,
  lease_until DATETIME(3) NOT NULL,
  done_time DATETIME(3) NULL,
  UNIQUE KEY uk_letter (letter_id, letter_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- All orders that such a letter names: a message of gifts has many.
CREATE TABLE IF NOT EXISTS t_staff_dead_letter_order (
  order_id VARCHAR(64) NOT NULL,
  -- Of t_staff_dead_letter.
  handled_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, handled_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
