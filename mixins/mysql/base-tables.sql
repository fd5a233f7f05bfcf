-- The tables that every database has. The migrator creates them before it takes its lease.

-- The applied migrations.
CREATE TABLE IF NOT EXISTS t_migration (
  name VARCHAR(190) NOT NULL PRIMARY KEY,
  -- SHA-256 of the file: an applied migration must not change.
  checksum CHAR(64) NOT NULL,
  applied_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What the files of the migrations said that were begun or applied: a node of another release has other files, and decides
-- by this whether it may run here.
CREATE TABLE IF NOT EXISTS t_migration_release (
  name VARCHAR(190) NOT NULL PRIMARY KEY,
  -- The release that brought the file.
  release_number INT UNSIGNED NOT NULL,
  -- Of a contract: nodes of this release and later ones run without what it removes; 0 of an expand.
  needs_release INT UNSIGNED NOT NULL,
  begin_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Leases on work that one node does at a time, by name: the migration itself, and jobs of the service.
CREATE TABLE IF NOT EXISTS t_lease (
  name VARCHAR(60) NOT NULL PRIMARY KEY,
  -- The node that holds the lease until until_time, by the database's clock; afterwards it is free.
  holder VARCHAR(180) NOT NULL,
  until_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A node writes this row to check whether the database accepts writes (mixins/health.mixin.ts).
CREATE TABLE IF NOT EXISTS t_heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  beat_time DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
