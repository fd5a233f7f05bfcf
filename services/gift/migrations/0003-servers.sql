-- expand, release 2
-- The servers with gift records (services/wallet-servers.ts): on the home server (number 0) all of them, on another one its
-- own row. Empty where there is one server.
CREATE TABLE IF NOT EXISTS t_server (
  name VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  number SMALLINT UNSIGNED NOT NULL,
  is_self TINYINT NOT NULL,
  UNIQUE KEY uk_number (number)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
