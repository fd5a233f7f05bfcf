import { limits } from "../../config/limits.ts";
import type { Finding } from "./checks.ts";
import { isGalera, isOn, isReplicated, type MysqlSeen, semiSyncOf, takesWrites } from "./mysql-seen.ts";

/** Whether a failover of MySQL keeps what was committed. Pure. */

const lossOfFailover =
  "what the new primary has not received is lost: settled gifts, credited payments, whole accounts of the last seconds";

/** `named`: how many servers the URL names. With several of them a failover to another one is meant to happen. */
export function judgeFailover(seen: readonly MysqlSeen[], named: number): Finding[] {
  return seen.flatMap((one) => {
    if (isGalera(one)) return judgeGalera(one);
    if (isReplicated(one)) return [];
    return named > 1 ? judgeSemiSync(one) : judgeReplicas(one);
  });
}

function judgeGalera({ server, variables, status }: MysqlSeen): Finding[] {
  const options = variables.wsrep_provider_options ?? "";
  const ignored = ["pc.ignore_sb", "pc.ignore_quorum"].filter((name) =>
    new RegExp(`${name.replace(".", "\\.")}\\s*=\\s*(true|yes|1|on)`, "i").test(options),
  );
  const findings: Finding[] = [];
  if (ignored.length > 0)
    findings.push({
      ...{ check: "mysql.failover", severity: "money", server },
      found: ignored.map((name) => `${name}=true`).join(", "),
      wanted: "neither pc.ignore_sb nor pc.ignore_quorum",
      risk: "two halves of a cluster that lose sight of each other both go on, and one of them is thrown away later",
      repair: "remove both from wsrep_provider_options",
    });
  if (isOn(variables.wsrep_auto_increment_control))
    findings.push({
      ...{ check: "mysql.failover", severity: "speed", server },
      found: "wsrep_auto_increment_control=ON",
      wanted: "OFF, since one server takes the writes",
      risk: "the step of ids changes when a server goes or comes: seals of that second name other rows, and the auditor reports them",
      repair: "[mysqld] of every server: wsrep_auto_increment_control=OFF, auto_increment_increment=1",
    });
  const size = Number(status.wsrep_cluster_size);
  const wanted = limits.preflight.galeraServers;
  if (Number.isFinite(size) && size < wanted)
    findings.push({
      ...{ check: "mysql.failover", severity: "speed", server },
      found: `a Galera cluster of ${size}`,
      wanted: `${wanted} servers or more`,
      risk: "while another server is away there is no majority, and nothing is written",
      repair: `add servers to the cluster, or the arbitrator garbd, until wsrep_cluster_size is ${wanted}`,
    });
  return findings;
}

const semiSyncSettings =
  "[mysqld] of every server: rpl_semi_sync_master_enabled=ON, rpl_semi_sync_master_wait_point=AFTER_SYNC, " +
  `rpl_semi_sync_master_timeout=${limits.preflight.semiSyncWaitMs}, rpl_semi_sync_slave_enabled=ON ` +
  "(MySQL 8.0.26 and newer: source and replica in place of master and slave)";

function judgeSemiSync(seen: MysqlSeen): Finding[] {
  const { server } = seen;
  const { enabled, waitPoint, timeoutMs, working } = semiSyncOf(seen);
  const about = { check: "mysql.failover", server, repair: semiSyncSettings } as const;
  if (!enabled)
    return [
      {
        ...{ ...about, severity: "money", risk: lossOfFailover },
        found: "several servers in the URL, neither Galera nor semi-synchronous replication",
        wanted: "Galera, group replication, or semi-synchronous replication on every server",
        repair: `run the servers as a Galera cluster, or in ${semiSyncSettings}`,
      },
    ];
  const findings: Finding[] = [];
  if (waitPoint !== "AFTER_SYNC")
    findings.push({
      ...{ ...about, severity: "money", found: `wait point ${waitPoint || "unknown"}`, wanted: "AFTER_SYNC" },
      risk: "others read, and publish, what is committed and then lost by a failover",
    });
  if (timeoutMs < limits.preflight.semiSyncWaitMs)
    findings.push({
      ...{ ...about, severity: "note", found: `timeout ${timeoutMs} ms` },
      wanted: `${limits.preflight.semiSyncWaitMs} ms`,
      risk: "without a replica for that long the primary commits alone, and a failover after that loses it",
    });
  if (takesWrites(seen) && !working)
    findings.push({
      ...{ ...about, severity: "note", found: "no commit waits for a replica at present", wanted: "status ON" },
      risk: lossOfFailover,
      repair: "start the replication of the other servers",
    });
  return findings;
}

/** One server in the URL: what is behind the address is not known. */
function judgeReplicas(seen: MysqlSeen): Finding[] {
  const replicas = Number(seen.status.slaves_connected ?? 0);
  if (!(replicas > 0) || semiSyncOf(seen).enabled) return [];
  return [
    {
      ...{ check: "mysql.failover", severity: "note", server: seen.server },
      found: `${replicas} replicas, for which no commit waits`,
      wanted: "semi-synchronous replication, where one of them is to take over",
      risk: `where you fail over to one of them, ${lossOfFailover}`,
      repair: semiSyncSettings,
    },
  ];
}

/** Of the servers of one URL all take writes (Galera) or one does. */
export function judgeWritable(seen: readonly MysqlSeen[]): Finding[] {
  const writable = seen.filter((one) => takesWrites(one) && !isReplicated(one)).map(({ server }) => server);
  if (writable.length < 2) return [];
  return [
    {
      ...{ check: "mysql.writable", severity: "money", server: writable.join(", ") },
      found: "several servers that take writes and are no cluster",
      wanted: "one; the others read_only=ON",
      risk: "nodes write to different servers: an account has two balances",
      repair: "SET GLOBAL read_only=ON on every replica, and read_only=ON in its [mysqld]",
    },
  ];
}
