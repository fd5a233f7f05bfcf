-- Work that one node of the service does at a time, by name; the row is made at its first acquisition.
CREATE TABLE IF NOT EXISTS t_lease (
  name VARCHAR(60) NOT NULL PRIMARY KEY,
  -- The node whose work it is while until_time is to come, by the database's clock; free afterwards.
  holder VARCHAR(150) NOT NULL,
  until_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
