-- The tables that every database has, whatever its service does. The migrator makes them before it takes its lease.

-- Which migrations were applied.
CREATE TABLE IF NOT EXISTS t_migration (
  name VARCHAR(190) NOT NULL PRIMARY KEY,
  -- SHA-256 of the file: a migration must not change once it was applied.
  checksum CHAR(64) NOT NULL,
  applied_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Work that one node does at a time, by name: the migration itself, and jobs of the service.
CREATE TABLE IF NOT EXISTS t_lease (
  name VARCHAR(60) NOT NULL PRIMARY KEY,
  -- The node that holds the lease until until_time, by the database's clock; afterwards it is free.
  holder VARCHAR(150) NOT NULL,
  until_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A node writes this row to find out whether the database takes writes (mixins/health.mixin.ts).
CREATE TABLE IF NOT EXISTS t_heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  beat_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
