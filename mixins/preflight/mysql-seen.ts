/** What is read of one MySQL or MariaDB server. Pure. */

export interface MysqlSeen {
  /** Host and port. */
  readonly server: string;
  /** Global variables by name, those of `variableNames` that the server has. */
  readonly variables: Readonly<Record<string, string>>;
  /** Its status by name in lower case, those of `statusNames` that it has. */
  readonly status: Readonly<Record<string, string>>;
  /** A session after the settings that each connection of a service makes. */
  readonly session: { readonly isolation: string; readonly sqlMode: string; readonly timeZone: string };
}

export const variableNames = [
  ...["version", "version_comment", "read_only", "super_read_only", "max_allowed_packet"],
  ...["innodb_flush_log_at_trx_commit", "innodb_doublewrite", "log_bin", "sync_binlog"],
  ...["wsrep_on", "wsrep_provider_options", "wsrep_auto_increment_control", "group_replication_group_name"],
  // MariaDB and MySQL to 8.0.25; MySQL from 8.0.26 on.
  ...["rpl_semi_sync_master_enabled", "rpl_semi_sync_master_wait_point", "rpl_semi_sync_master_timeout"],
  ...["rpl_semi_sync_source_enabled", "rpl_semi_sync_source_wait_point", "rpl_semi_sync_source_timeout"],
] as const;

export const statusNames = [
  ...["wsrep_cluster_size", "Slaves_connected"],
  ...["Rpl_semi_sync_master_status", "Rpl_semi_sync_source_status"],
] as const;

export function isOn(value: string | undefined): boolean {
  return /^(on|1)$/i.test(value ?? "");
}

export function isMariaDb({ version = "", version_comment = "" }: MysqlSeen["variables"]): boolean {
  return /mariadb/i.test(`${version} ${version_comment}`);
}

export const isGalera = ({ variables }: MysqlSeen) => isOn(variables.wsrep_on);

/** Whether what is committed is on several servers by then: Galera, or group replication. */
export function isReplicated(seen: MysqlSeen): boolean {
  return isGalera(seen) || Boolean(seen.variables.group_replication_group_name);
}

export function takesWrites({ variables }: MysqlSeen): boolean {
  return !isOn(variables.read_only) && !isOn(variables.super_read_only);
}

export interface SemiSync {
  readonly enabled: boolean;
  readonly waitPoint: string;
  readonly timeoutMs: number;
  /** Whether commits wait for a replica at present. */
  readonly working: boolean;
}

export function semiSyncOf({ variables, status }: MysqlSeen): SemiSync {
  const of = (values: Readonly<Record<string, string>>, name: string) =>
    values[`rpl_semi_sync_source_${name}`] ?? values[`rpl_semi_sync_master_${name}`];
  return {
    enabled: isOn(of(variables, "enabled")),
    waitPoint: (of(variables, "wait_point") ?? "").toUpperCase(),
    timeoutMs: Number(of(variables, "timeout") ?? 0),
    working: isOn(of(status, "status")),
  };
}
