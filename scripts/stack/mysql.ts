import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { readIfThere, replaceFile } from "./files.ts";
import { initialiseDatabase } from "./mysql-init.ts";
import { prepareSocket, removeSocketFolder } from "./mysql-socket.ts";
import { LOOPBACK } from "./ports.ts";
import { type ServerPlan, type Site, volumeOf } from "./server.ts";

const USER = "ovation";

/** `loose-` marks a setting that only MySQL or MariaDB has, or only some versions. */
const SETTINGS = [
  "--skip-log-bin",
  "--skip-name-resolve",
  "--character-set-server=utf8mb4",
  "--max-connections=500",
  "--innodb-flush-log-at-trx-commit=1",
  "--innodb-buffer-pool-size=512M",
  "--loose-innodb-log-file-size=512M",
  "--loose-innodb-redo-log-capacity=512M",
  "--performance-schema=OFF",
  // MySQL's second protocol would listen on a standard port, on every address.
  "--loose-mysqlx=OFF",
];

export const mysql: ServerPlan = {
  name: "mysql",
  title: "MySQL",
  variable: "MYSQL_URL",
  programs: ["mariadbd", "mysqld"],
  containerPort: 3306,
  readyDeadlineMs: 120_000,
  stopDeadlineMs: 60_000,

  async prepareProcess(site, program, port) {
    const { dataDir, flavour } = await initialiseDatabase(site, program);
    const temporary = join(site.dir, "tmp");
    mkdirSync(temporary, { recursive: true });
    const initFile = join(site.dir, "users.sql");
    replaceFile(initFile, usersSql(passwordOf(site), flavour === "mysql"));
    return {
      args: [
        // Must be first: the machine's own configuration is not used.
        "--no-defaults",
        ...(process.getuid?.() === 0 ? ["--user=root"] : []),
        `--datadir=${dataDir}`,
        `--tmpdir=${temporary}`,
        `--socket=${prepareSocket(site)}`,
        `--pid-file=${join(site.dir, "pid")}`,
        `--bind-address=${LOOPBACK}`,
        `--port=${port}`,
        `--init-file=${initFile}`,
        ...SETTINGS,
      ],
    };
  },

  async prepareContainer(site) {
    const password = passwordOf(site);
    const variables = join(site.dir, "container.env");
    replaceFile(variables, `MYSQL_ROOT_PASSWORD=${password}\nMYSQL_USER=${USER}\nMYSQL_PASSWORD=${password}\n`);
    const grants = join(site.dir, "container-grants.sql");
    replaceFile(grants, `GRANT ALL PRIVILEGES ON *.* TO '${USER}'@'%' WITH GRANT OPTION;\n`, 0o644);
    const mounts = [`${volumeOf(site)}:/var/lib/mysql`, `${grants}:/docker-entrypoint-initdb.d/grants.sql:ro`];
    return {
      image: "mysql:8",
      options: ["--env-file", variables, ...mounts.flatMap((mount) => ["-v", mount])],
      args: SETTINGS,
    };
  },

  async probe(site, port) {
    const connection = await createConnection({
      host: LOOPBACK,
      port,
      user: USER,
      // Only the server of this site has the password, so a login proves that it is this server.
      password: passwordOf(site),
      connectTimeout: 2000,
    });
    try {
      await connection.query("SELECT 1");
      await connection.end();
    } catch (error) {
      connection.destroy();
      throw error;
    }
  },

  url: (site, port) => `mysql://${USER}:${passwordOf(site)}@${LOOPBACK}:${port}`,
  tidy: removeSocketFolder,
};

/** The password of this site's database user, created at first use and kept in the site's folder. */
function passwordOf(site: Site): string {
  const file = join(site.dir, "password");
  const known = readIfThere(file)?.trim();
  if (known) return known;
  const password = randomBytes(24).toString("base64url");
  mkdirSync(site.dir, { recursive: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** The server runs it at every start, so it must work for a new database and for an initialized one. */
function usersSql(password: string, rootNeedsPassword: boolean): string {
  const user = `'${USER}'@'${LOOPBACK}'`;
  const statements = [
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`,
    `ALTER USER ${user} IDENTIFIED BY '${password}'`,
    `GRANT ALL PRIVILEGES ON *.* TO ${user} WITH GRANT OPTION`,
  ];
  // MariaDB's root logs in only as the system's root through the socket; MySQL's has an empty password at first.
  if (rootNeedsPassword) statements.push(`ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`);
  return `${statements.join(";\n")};\n`;
}
