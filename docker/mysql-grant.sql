-- Run once, when the volume is empty. The login of the migrations, which no node has: it makes the services' databases
-- (ovation_wallet, ...) and their logins, and gives each login the rights of its job (services/database-rights.ts).
GRANT ALL PRIVILEGES ON `ovation\_%`.* TO 'ovation'@'%' WITH GRANT OPTION;
GRANT CREATE USER ON *.* TO 'ovation'@'%';
-- To see, and revoke, what a login may do beyond its job.
GRANT SELECT ON mysql.* TO 'ovation'@'%';
