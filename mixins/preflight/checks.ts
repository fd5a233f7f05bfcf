/** What is looked at before a node starts, and what a finding is. Pure. */

/** The promises of the system, as docs/promises.md numbers them. */
export const promises = {
  1: "an accepted gift ends once, as succeeded or failed",
  2: "no balance is below zero, and no invalid amount is in the ledger",
  3: "the books sum up",
  4: "a paid order is credited once",
  5: "Redis may be lost",
  6: "a changed price is in force on every node within a second",
  7: "nobody acts for another",
  8: "everything is bounded, and what was accepted is kept",
  9: "nobody is trusted for standing inside",
} as const;
export type PromiseNumber = keyof typeof promises;

interface Check {
  readonly looksAt: string;
  readonly promises: readonly PromiseNumber[];
}

/** By id, which `PREFLIGHT_ACCEPT` names. */
export const checks = {
  "nats.version": { looksAt: "version of nats-server", promises: [1, 8] },
  "nats.reload": { looksAt: "version of nats-server", promises: [8] },
  "nats.replicas": { looksAt: "copies of each stream", promises: [1, 8] },
  "nats.storage": { looksAt: "storage of each stream", promises: [1, 8] },
  "nats.sync": { looksAt: "sync_interval of JetStream", promises: [1, 8] },
  "mysql.version": { looksAt: "version of MySQL or MariaDB", promises: [1, 3, 4] },
  "mysql.flush": { looksAt: "innodb_flush_log_at_trx_commit", promises: [1, 3, 4] },
  "mysql.doublewrite": { looksAt: "innodb_doublewrite", promises: [3] },
  "mysql.binlog": { looksAt: "log_bin, sync_binlog", promises: [1, 3, 4] },
  "mysql.failover": { looksAt: "Galera, or semi-synchronous replication", promises: [1, 3, 4] },
  "mysql.writable": { looksAt: "read_only of the servers of one URL", promises: [1, 2, 3, 4] },
  "mysql.isolation": { looksAt: "isolation level of a session", promises: [2, 3] },
  "mysql.sql_mode": { looksAt: "sql_mode of a session", promises: [2, 3] },
  "mysql.time_zone": { looksAt: "time_zone of a session", promises: [3] },
  "mysql.buckets": { looksAt: "number of servers of users' data", promises: [3, 4] },
  "mysql.packet": { looksAt: "max_allowed_packet", promises: [8] },
  "redis.version": { looksAt: "version of Redis", promises: [5] },
  "redis.policy": { looksAt: "maxmemory-policy", promises: [5] },
  "redis.persistence": { looksAt: "appendonly", promises: [5] },
  "node.version": { looksAt: "version of Node", promises: [1] },
  "clock.skew": { looksAt: "clocks of the servers and of this machine", promises: [1, 7] },
} as const satisfies Readonly<Record<string, Check>>;
export type CheckId = keyof typeof checks;

export const isCheck = (id: string): id is CheckId => Object.hasOwn(checks, id);

/**
 * `money`: a promise about money does not hold, so a node in production does not start unless it is accepted; `speed`:
 * it costs time, comfort or a hot standby, and no money; `note`: it cannot be seen, or is good to know.
 */
export type Severity = "money" | "speed" | "note";

/** What a check found that is not as wanted. */
export interface Finding {
  readonly check: CheckId;
  readonly severity: Severity;
  /** Where: host and port, or a name. */
  readonly server: string;
  readonly found: string;
  readonly wanted: string;
  /** What happens otherwise. */
  readonly risk: string;
  /** The very setting, and where it is made. */
  readonly repair: string;
}

/** The promises that a check is about, for people: `1 (an accepted gift ...), 8 (...)`. */
export function promisesOf(check: CheckId): string {
  return checks[check].promises.map((number) => `${number} (${promises[number]})`).join(", ");
}

/** Whether a version is this one or newer, by the numbers at its beginning; `undefined` where it has none. */
export function isAtLeast(version: string, least: string): boolean | undefined {
  const numbers = (text: string) => /^\D{0,2}(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)?.slice(1).map(Number);
  const [has, needs] = [numbers(version), numbers(least)];
  if (!has || !needs) return undefined;
  const at = [0, 1, 2].find((place) => (has[place] || 0) !== (needs[place] || 0));
  return at === undefined || (has[at] || 0) > (needs[at] || 0);
}

/** The finding of a server whose version is older than the tests are run with, or cannot be read; none otherwise. */
export function oldVersion(
  finding: Pick<Finding, "check" | "server"> & { version: string; least: string; what: string; severity: Severity },
): Finding[] {
  const { check, server, version, least, what, severity } = finding;
  const isNew = isAtLeast(version, least);
  if (isNew) return [];
  return [
    {
      ...{ check, server, severity: isNew === undefined ? "note" : severity },
      found: `${what} ${version.slice(0, 60)}`,
      wanted: `${what} ${least} or newer`,
      risk: "nothing is tested with it: no promise is known to hold",
      repair: `upgrade ${what} to ${least} or newer`,
    },
  ];
}
