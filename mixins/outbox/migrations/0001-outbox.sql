-- Messages that are written in the transaction of their change, and published by a relay after it.
CREATE TABLE IF NOT EXISTS t_outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  subject VARCHAR(120) NOT NULL,
  msg_id VARCHAR(150) NOT NULL,
  -- The id for JetStream, where it is not msg_id.
  publish_id VARCHAR(150) NULL,
  -- Rows of one key are published one after the other, in the order of their ids.
  order_key VARCHAR(100) NOT NULL,
  -- JSON as text: a signature is over these very bytes.
  payload MEDIUMTEXT NOT NULL,
  request_id VARCHAR(100) NULL,
  create_time DATETIME(3) NOT NULL,
  sent_time DATETIME(3) NULL,
  -- Its position: the stream's creation time, empty where that is not certain, and the sequence in that stream.
  sent_created VARCHAR(40) NULL,
  sent_sequence BIGINT UNSIGNED NULL,
  UNIQUE KEY uk_msg_id (msg_id),
  KEY idx_unsent (sent_time, id),
  KEY idx_order_key (order_key, sent_time, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
