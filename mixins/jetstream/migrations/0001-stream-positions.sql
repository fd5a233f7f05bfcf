-- How far each reader of a stream has read. A reader is a durable consumer of this service, all consumers of a stream
-- together, the service itself (`seen`), or a recovery of a stream's messages.
CREATE TABLE IF NOT EXISTS t_stream_position (
  reader VARCHAR(100) NOT NULL,
  stream VARCHAR(100) NOT NULL,
  -- The creation time of the stream, to the nanosecond: a stream that was made again has another one.
  stream_created VARCHAR(40) NOT NULL,
  -- Everything up to this sequence of that stream is handled.
  sequence BIGINT UNSIGNED NOT NULL,
  -- Of a consumer: nothing that it has not read was stored before this time. Of the other readers: when the row was made.
  unread_since DATETIME(3) NOT NULL,
  PRIMARY KEY (reader, stream, stream_created),
  KEY idx_stream (stream)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
