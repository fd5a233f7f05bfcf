-- How far each reader of a stream has come. A reader is a durable consumer of this service, all consumers of a stream
-- together, the service itself (`seen`), or what restores a stream's messages from the books.
CREATE TABLE IF NOT EXISTS t_stream_position (
  reader VARCHAR(100) NOT NULL,
  stream VARCHAR(100) NOT NULL,
  -- The creation time that the server gives the stream, to the nanosecond: a stream that was made again is another one.
  stream_created VARCHAR(40) NOT NULL,
  -- Everything up to this sequence of that stream is done.
  sequence BIGINT UNSIGNED NOT NULL,
  -- Of a consumer: nothing that it has not read was stored before this time. Of the other readers: when the row was made.
  unread_since DATETIME(3) NOT NULL,
  PRIMARY KEY (reader, stream, stream_created),
  KEY idx_stream (stream)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
