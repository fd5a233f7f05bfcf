import { limits } from "../../config/limits.ts";
import { type Finding, oldVersion } from "./checks.ts";
import { judgeFailover, judgeWritable } from "./judge-failover.ts";
import { isMariaDb, isOn, isReplicated, type MysqlSeen } from "./mysql-seen.ts";

/** What durability rests on at MySQL and MariaDB. Pure. */

/** Findings about the servers of one URL, of which those that answered were seen. `named`: how many it names. */
export function judgeMysql(seen: readonly MysqlSeen[], named: number): Finding[] {
  return [
    ...seen.flatMap((one) => [
      ...judgeVersion(one),
      ...judgeFlush(one),
      ...judgeDoublewrite(one),
      ...judgeBinlog(one),
      ...judgeSession(one),
      ...judgePacket(one),
    ]),
    ...judgeFailover(seen, named),
    ...judgeWritable(seen),
  ];
}

function judgeVersion({ server, variables }: MysqlSeen): Finding[] {
  const version = variables.version ?? "";
  const { versions } = limits.preflight;
  const [what, least] = isMariaDb(variables) ? ["MariaDB", versions.mariadb] : ["MySQL", versions.mysql];
  return oldVersion({ ...{ check: "mysql.version", severity: "money", server, version, least, what } });
}

/** Of several servers that all have what is committed, one may lose its last second. */
function severityOfLoss(seen: MysqlSeen): "money" | "note" {
  return isReplicated(seen) ? "note" : "money";
}

const lossOf = (seen: MysqlSeen) =>
  isReplicated(seen)
    ? "where all servers lose their power at once, what was committed last is lost: keep them apart"
    : "a crash of the machine loses what was committed last: settled gifts and credited payments";

function judgeFlush(seen: MysqlSeen): Finding[] {
  const { server, variables } = seen;
  const found = variables.innodb_flush_log_at_trx_commit;
  if (found === undefined || found === "1") return [];
  return [
    {
      ...{ check: "mysql.flush", severity: severityOfLoss(seen), server, found, wanted: "1", risk: lossOf(seen) },
      repair: "[mysqld] innodb_flush_log_at_trx_commit=1 (at once: SET GLOBAL innodb_flush_log_at_trx_commit=1)",
    },
  ];
}

function judgeDoublewrite({ server, variables }: MysqlSeen): Finding[] {
  const found = variables.innodb_doublewrite;
  if (found === undefined || !/^(off|0|detect_only)$/i.test(found)) return [];
  return [
    {
      ...{ check: "mysql.doublewrite", severity: "money", server, found, wanted: "ON" },
      risk: "a power failure may leave a page of the books half written, unless the file system writes pages whole",
      repair: "[mysqld] innodb_doublewrite=ON, and a restart",
    },
  ];
}

function judgeBinlog(seen: MysqlSeen): Finding[] {
  const { server, variables } = seen;
  if (variables.log_bin !== undefined && !isOn(variables.log_bin))
    return [
      {
        ...{ check: "mysql.binlog", severity: "note", server, found: "log_bin=OFF", wanted: "log_bin=ON" },
        risk: "a backup cannot be continued to a later time: what is beyond stream EVENTS is lost with the disk",
        repair: "[mysqld] log_bin=ON and sync_binlog=1, and a restart",
      },
    ];
  const found = variables.sync_binlog;
  if (found === undefined || found === "1") return [];
  return [
    {
      ...{ check: "mysql.binlog", severity: severityOfLoss(seen), server, found: `sync_binlog=${found}` },
      wanted: "sync_binlog=1",
      // With a binary log the recovery after a crash rolls back what is prepared and not in it.
      risk: lossOf(seen),
      repair: "[mysqld] sync_binlog=1 (at once: SET GLOBAL sync_binlog=1)",
    },
  ];
}

/** A service sets these for each of its sessions; a proxy in front may drop or share them. */
const sessionRepair = "let the proxy in front of MySQL pass on SET SESSION and keep sessions apart, or do without it";

function judgeSession({ server, session }: MysqlSeen): Finding[] {
  const { isolation, sqlMode, timeZone } = session;
  const findings: Finding[] = [];
  if (isolation.toUpperCase() !== "READ-COMMITTED")
    findings.push({
      ...{ check: "mysql.isolation", severity: "money", server, found: isolation, wanted: "READ-COMMITTED" },
      ...{ risk: "decisions about money are made on rows that have changed", repair: sessionRepair },
    });
  if (!sqlMode.toUpperCase().split(",").includes("STRICT_ALL_TABLES"))
    findings.push({
      ...{ check: "mysql.sql_mode", severity: "money", server, found: sqlMode || "none", wanted: "STRICT_ALL_TABLES" },
      ...{ risk: "amounts that do not fit are cut and stored", repair: sessionRepair },
    });
  if (timeZone !== "+00:00")
    findings.push({
      ...{ check: "mysql.time_zone", severity: "speed", server, found: timeZone, wanted: "+00:00" },
      ...{ risk: "times of the books are off, and rows belong to other days", repair: sessionRepair },
    });
  return findings;
}

function judgePacket({ server, variables }: MysqlSeen): Finding[] {
  const found = Number(variables.max_allowed_packet);
  const least = limits.preflight.mysqlPacketBytes;
  if (!Number.isFinite(found) || found >= least) return [];
  return [
    {
      ...{ check: "mysql.packet", severity: "speed", server, found: `${found}`, wanted: `${least} or more` },
      risk: "a large batch of gifts is refused and waits in the queue",
      repair: `[mysqld] max_allowed_packet=${least / 1_024 / 1_024}M`,
    },
  ];
}
