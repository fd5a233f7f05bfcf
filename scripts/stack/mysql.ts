import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { readIfThere, replaceFile } from "./files.ts";
import { initialiseDatabase } from "./mysql-init.ts";
import { prepareSocket, removeSocketFolder } from "./mysql-socket.ts";
import { LOOPBACK } from "./ports.ts";
import { type ServerPlan, volumeOf } from "./server.ts";

const USER = "ovation";
const LOG_FILE_SIZE = "512M";

/** `loose-` marks a setting that only MySQL or MariaDB has, or only some versions. */
const SETTINGS = [
  "--skip-log-bin",
  "--skip-name-resolve",
  "--character-set-server=utf8mb4",
  "--max-connections=500",
  "--innodb-flush-log-at-trx-commit=1",
  "--innodb-buffer-pool-size=512M",
  // MySQL's default, not MariaDB's: with each page its neighbours would be written, which helps disks that turn.
  "--innodb-flush-neighbors=0",
  `--loose-innodb-log-file-size=${LOG_FILE_SIZE}`,
  `--loose-innodb-redo-log-capacity=${LOG_FILE_SIZE}`,
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
    const { dataDir, flavour } = await initialiseDatabase(site, program, LOG_FILE_SIZE);
    const temporary = join(site.dir, "tmp");
    mkdirSync(temporary, { recursive: true });
    const initFile = join(site.dir, "users.sql");
    replaceFile(initFile, usersSql(passwordOf(site.dir), flavour === "mysql"));
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
    const password = passwordOf(site.dir);
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

  probe: (site, port) => onServer(site.dir, port, async (connection) => void (await connection.query("SELECT 1"))),

  url: (site, port) => mysqlUrl(site.dir, port),
  tidy: removeSocketFolder,
};

/** The administrator's URL of a server whose password is kept in `mysqlDir`. */
export const mysqlUrl = (mysqlDir: string, port: number) =>
  `mysql://${USER}:${passwordOf(mysqlDir)}@${LOOPBACK}:${port}`;

/** Runs a task as the administrator. Only the servers of this folder have the password: a login proves that it is one. */
export async function onServer<T>(
  mysqlDir: string,
  port: number,
  task: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await createConnection({
    host: LOOPBACK,
    port,
    user: USER,
    password: passwordOf(mysqlDir),
    connectTimeout: 2000,
  });
  try {
    const result = await task(connection);
    await connection.end();
    return result;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** The administrator's password, created at first use and kept in the folder. */
export function passwordOf(mysqlDir: string): string {
  const file = join(mysqlDir, "password");
  const known = readIfThere(file)?.trim();
  if (known) return known;
  const password = randomBytes(24).toString("base64url");
  mkdirSync(mysqlDir, { recursive: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** The server runs it at every start, so it must work for a new database and for an initialized one. */
export function usersSql(password: string, rootNeedsPassword: boolean): string {
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
