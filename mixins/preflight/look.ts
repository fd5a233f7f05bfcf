import { limits } from "../../config/limits.ts";
import type { Skew } from "../clock/skew.ts";
import { type MysqlServer, mysqlServers } from "../mysql/servers.ts";
import { within } from "../within.ts";
import { type Finding, oldVersion } from "./checks.ts";
import { judgeBuckets } from "./judge-buckets.ts";
import { judgeClocks } from "./judge-clocks.ts";
import { judgeMysql } from "./judge-mysql.ts";
import { judgeNats, type NatsSeen } from "./judge-nats.ts";
import { judgeRedis } from "./judge-redis.ts";
import { readMysql } from "./read-mysql.ts";
import { type NatsLogin, readNats } from "./read-nats.ts";
import { readRedis } from "./read-redis.ts";

/** The logins with which the servers are looked at. */
export interface Logins {
  readonly nats: readonly NatsLogin[];
  /** URLs, each of one server or several; those with the same servers are looked at once. */
  readonly mysql: readonly string[];
  readonly redis: readonly { readonly service: string; readonly url: string; readonly server: string }[];
  /** The names of the servers of users' data, where there are several. */
  readonly buckets: readonly string[];
}

export interface Looked {
  readonly findings: readonly Finding[];
  /** The servers that were looked at, and those that were not, with the reason: nothing is known of these. */
  readonly seen: readonly string[];
  readonly unseen: readonly { readonly server: string; readonly why: string }[];
}

type Read<T> = { readonly server: string; readonly value: T } | { readonly server: string; readonly why: string };

/** What a server says within `limits.preflight.serverMs`, or why it says nothing. Never rejects. */
async function inTime<T>(server: string, read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { server, value: await within(limits.preflight.serverMs, read()) };
  } catch (error) {
    return { server, why: error instanceof Error && error.message !== "" ? error.message : String(error) };
  }
}

const valuesOf = <T>(read: Read<T>): T[] => ("value" in read ? [read.value] : []);

/** The servers of each URL; URLs of the same servers count once. */
function mysqlGroups(urls: readonly string[]): (readonly MysqlServer[])[] {
  const groups = urls.map(mysqlServers);
  return [...new Map(groups.map((servers) => [servers.map(({ place }) => place).join(), servers])).values()];
}

/** What several logins see of one NATS: each other streams. */
function eachNats(seen: readonly NatsSeen[]): NatsSeen[] {
  const all = new Map<string, NatsSeen>();
  for (const one of seen) {
    const known = all.get(one.server);
    const streams = new Map([...(known?.streams ?? []), ...one.streams].map((stream) => [stream.name, stream]));
    all.set(one.server, { ...one, ...known, streams: [...streams.values()] });
  }
  return [...all.values()];
}

/**
 * Looks at the servers at once and judges what they say. A server that does not answer is no finding: readiness reports
 * it. Never rejects for a server. @throws Error where a URL of MySQL cannot be read
 */
export async function look(logins: Logins): Promise<Looked> {
  const groups = mysqlGroups(logins.mysql);
  const [nats, mysql, redis] = await Promise.all([
    Promise.all(logins.nats.map((login) => inTime(login.server, () => readNats(login)))),
    Promise.all(groups.map((servers) => Promise.all(servers.map((one) => inTime(one.place, () => readMysql(one)))))),
    Promise.all(logins.redis.map(({ service, url, server }) => inTime(server, () => readRedis(service, url, server)))),
  ]);
  const atNats = nats.flatMap(valuesOf);
  const atMysql = mysql.map((hosts) => hosts.flatMap(valuesOf));
  const atRedis = redis.flatMap(valuesOf);
  const clocks = [
    ...atNats.flatMap((one) => one.clocks),
    ...[...atMysql.flat(), ...atRedis].flatMap(({ clock }) => clock ?? []),
  ];
  const all = [...nats, ...mysql.flat(), ...redis];
  return {
    findings: [
      ...eachNats(atNats.map(({ seen }) => seen)).flatMap(judgeNats),
      ...atMysql.flatMap((hosts, at) =>
        judgeMysql(
          hosts.map(({ seen }) => seen),
          groups[at]?.length ?? 1,
        ),
      ),
      ...judgeBuckets(logins.buckets),
      ...atRedis.flatMap(({ seen }) => judgeRedis(seen)),
      ...oldNode(),
      ...judgeClocks(eachOnce(clocks), "this machine"),
    ],
    seen: [...new Set(all.filter((one) => "value" in one).map(({ server }) => server))],
    unseen: all.flatMap((one) => ("why" in one ? [one] : [])),
  };
}

/** Several logins see the same server: one reading of its clock is enough. */
function eachOnce(clocks: readonly Skew[]): Skew[] {
  return [...new Map(clocks.map((clock) => [clock.server, clock])).values()];
}

function oldNode(): Finding[] {
  const version = process.versions.node;
  const { node: least } = limits.preflight.versions;
  return oldVersion({
    ...{ check: "node.version", severity: "note", server: "this process", version, least, what: "Node" },
  });
}
