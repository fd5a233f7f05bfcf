import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../files.ts";
import { passwordOf, usersSql } from "../mysql.ts";
import { dataDirOf, flavourOf, initialiseDatabase } from "../mysql-init.ts";
import { prepareSocket } from "../mysql-socket.ts";
import { LOOPBACK } from "../ports.ts";
import type { Site } from "../server.ts";
import { leftLast, type Position, positionOf, prepareBootstrap } from "./galera-position.ts";
import { checkUser, maxConnections, mysqlDirOf, wsrepStatus } from "./mysql-access.ts";
import { type HaPorts, type MemberNumber, members } from "./ports.ts";
import type { GaleraPrograms } from "./programs.ts";
import { type HaPlace, type HaServer, haSite } from "./server.ts";

const logFileSize = "96M";

/**
 * How soon the nodes count one as gone: silent for two seconds, which a busy machine does not reach. The defaults are
 * 5, 15 and 7.5 seconds. `pc.recovery`: after all nodes died, `npm run stack -- start --ha` chooses who goes on.
 */
const providerOptions = (ports: HaPorts, n: MemberNumber) =>
  [
    `gmcast.listen_addr=tcp://${LOOPBACK}:${ports[`mysql-${n}-group`]}`,
    `ist.recv_addr=${LOOPBACK}:${ports[`mysql-${n}-ist`]}`,
    "gcache.size=64M",
    "evs.keepalive_period=PT0.3S",
    "evs.inactive_check_period=PT0.2S",
    "evs.suspect_timeout=PT2S",
    "evs.inactive_timeout=PT5S",
    "evs.install_timeout=PT5S",
    "pc.recovery=FALSE",
  ].join(";");

/** A MariaDB node of a Galera cluster of three. */
export function galeraNode(
  place: HaPlace,
  ports: HaPorts,
  n: MemberNumber,
  findPrograms: () => Promise<GaleraPrograms>,
): GaleraServer {
  const name = `mysql-${n}` as const;
  const site = haSite(place, name);
  const port = ports[name];
  const status = () => wsrepStatus(place.stackDir, port);
  let isFirst = false;

  const requireSynced = async () => {
    const found = await status();
    const [cluster, local] = [found.get("wsrep_cluster_status"), found.get("wsrep_local_state_comment")];
    if (found.get("wsrep_ready") !== "ON" || cluster !== "Primary" || local !== "Synced")
      throw new Error(`it is ${cluster}, ${local}, and ${found.get("wsrep_ready") === "ON" ? "" : "not "}ready`);
  };

  return {
    name,
    kind: "mysql",
    port,
    site,
    bootstrapNext() {
      isFirst = true;
    },
    leftLast: () => leftLast(dataDirOf(site, "mariadb")),
    position: (program) =>
      positionOf(site, program, { file: join(site.dir, "my.cnf"), dataDir: dataDirOf(site, "mariadb") }),
    async isPrimary() {
      return (await status()).get("wsrep_cluster_status") === "Primary";
    },
    plan: {
      title: `MySQL ${n}`,
      programs: ["mariadbd"],
      // It may get a copy of everything first.
      readyDeadlineMs: 180_000,
      stopDeadlineMs: 60_000,
      async prepareProcess(_site, program) {
        const bootstraps = isFirst;
        isFirst = false;
        const programs = await findPrograms();
        const dataDir = await dataDirFor(site, program, bootstraps);
        const file = writeSettings({ site, dataDir, ports, n, programs, usersAtStart: bootstraps });
        if (bootstraps) prepareBootstrap(dataDir);
        const position = bootstraps ? undefined : await positionOf(site, program, { file, dataDir });
        return {
          args: [
            // Must be first: the machine's own configuration is not used.
            `--defaults-file=${file}`,
            ...(bootstraps ? ["--wsrep-new-cluster"] : []),
            ...(position === undefined ? [] : [`--wsrep-start-position=${position.history}:${position.write}`]),
          ],
          env: programs.env,
        };
      },
      probe: requireSynced,
      async part() {
        const found = await status();
        return `${found.get("wsrep_cluster_status")}, ${found.get("wsrep_local_state_comment")}`;
      },
      requireJoined: requireSynced,
    },
  };
}

export interface GaleraServer extends HaServer {
  /** Its next start begins a cluster with its data, instead of joining one. */
  bootstrapNext(): void;
  /** Whether it was the last to leave the cluster, by its own file; it does not run. */
  leftLast(): boolean;
  /** The position of its data; `undefined` where it has none. It does not run. */
  position(program: string): Promise<Position | undefined>;
  /** Whether it is with the majority. Rejects where it does not answer. */
  isPrimary(): Promise<boolean>;
}

/** The first node of all makes the database; the others get a copy of it, into an empty folder. */
async function dataDirFor(site: Site, program: string, bootstraps: boolean): Promise<string> {
  if ((await flavourOf(site, program)) !== "mariadb") throw new Error(`${program} is not MariaDB: Galera needs it`);
  const dataDir = dataDirOf(site, "mariadb");
  if (bootstraps) await initialiseDatabase(site, program, logFileSize);
  else if (!existsSync(dataDir)) mkdirSync(dataDir, { mode: 0o700 });
  return dataDir;
}

interface Settings {
  site: Site;
  dataDir: string;
  ports: HaPorts;
  n: MemberNumber;
  programs: GaleraPrograms;
  /** Whether this start makes the administrator's login and that of the proxy's checks. */
  usersAtStart: boolean;
}

/** The scripts that copy a node's data read the file too. */
function writeSettings({ site, dataDir, ports, n, programs, usersAtStart }: Settings): string {
  const temporary = join(site.dir, "tmp");
  mkdirSync(temporary, { recursive: true });
  const users = join(site.dir, "users.sql");
  const create = `CREATE USER IF NOT EXISTS '${checkUser}'@'${LOOPBACK}';\n`;
  replaceFile(users, `${usersSql(passwordOf(mysqlDirOf(site.stackDir)), false)}${create}`);
  const file = join(site.dir, "my.cnf");
  const others = members.filter((other) => other !== n);
  // The first that is up writes: a copy is taken from the last, whose writes wait meanwhile.
  const donors = others.toReversed().map((other) => `mysql-${other}`);
  replaceFile(
    file,
    `# Written at every start; changes here are lost.
[mysqld]
${process.getuid?.() === 0 ? "user=root\n" : ""}datadir=${dataDir}
tmpdir=${temporary}
socket=${prepareSocket(site)}
pid-file=${join(site.dir, "pid")}
bind-address=${LOOPBACK}
port=${ports[`mysql-${n}`]}
${usersAtStart ? `init-file=${users}\n` : ""}skip-log-bin
skip-name-resolve
character-set-server=utf8mb4
max-connections=${maxConnections}
innodb-flush-log-at-trx-commit=1
innodb-buffer-pool-size=256M
innodb-log-file-size=${logFileSize}
performance-schema=OFF
# What Galera needs.
binlog-format=ROW
default-storage-engine=InnoDB
innodb-autoinc-lock-mode=2
wsrep-on=ON
wsrep-auto-increment-control=OFF
wsrep-provider=${programs.provider}
wsrep-cluster-name=${site.mark.replace(/-mysql-\d$/, "")}
wsrep-cluster-address=gcomm://${members.map((one) => `${LOOPBACK}:${ports[`mysql-${one}-group`]}`).join(",")}
wsrep-node-name=mysql-${n}
wsrep-node-address=${LOOPBACK}:${ports[`mysql-${n}-group`]}
wsrep-node-incoming-address=${LOOPBACK}:${ports[`mysql-${n}`]}
wsrep-sst-method=${programs.copyMethod}
wsrep-sst-receive-address=${LOOPBACK}:${ports[`mysql-${n}-sst`]}
wsrep-sst-donor=${donors.join(",")},
wsrep-slave-threads=2
wsrep-provider-options="${providerOptions(ports, n)}"
`,
  );
  chmodSync(file, 0o600);
  return file;
}
