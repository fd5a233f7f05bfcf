import { z } from "zod";
import { limits } from "./limits.ts";

/**
 * URLs of NATS, MySQL and Redis. One may name several servers that hold the same data:
 *
 *   nats://user:pass@h1:4222,nats://user:pass@h2:4222     full URLs with one login
 *   mysql://user:pass@h1:3306,h2:3306/?ssl={}             the first that is reachable and takes writes is used
 *   redis-sentinel://user:pass@s1:26379,s2:26379/NAME     sentinels, which know the master NAME; the login is that of
 *                                                         Redis. rediss-sentinel: with TLS.
 *
 * Pure. No message contains a value: it may be a password.
 */

const schemes = {
  NATS_URL: ["nats:", "tls:"],
  MYSQL_URL: ["mysql:", "mariadb:"],
  REDIS_URL: ["redis:", "rediss:", "redis-sentinel:", "rediss-sentinel:"],
} as const;

/** A server at which each service may have a login of its own. */
export type ServerKind = keyof typeof schemes;

const defaultPorts: Readonly<Record<string, number>> = {
  "nats:": 4222,
  "tls:": 4222,
  "mysql:": 3306,
  "mariadb:": 3306,
  "redis:": 6379,
  "rediss:": 6379,
  "redis-sentinel:": 26379,
  "rediss-sentinel:": 26379,
};

const isNats = ({ protocol }: { protocol: string }) => protocol === "nats:" || protocol === "tls:";
const isSentinel = ({ protocol }: { protocol: string }) => /^rediss?-sentinel:$/.test(protocol);

/** Commas that separate servers: in a list of full URLs those before another URL, or before nothing. */
const betweenUrls = /,(?=\s*(?:[a-z][a-z0-9+.-]*:\/\/|,|$))/i;
const urlParts = /^([a-z][a-z0-9+.-]*:)\/\/(?:([^/?#]*)@)?([^/?#]*)(.*)$/is;

/** The text of a single URL for each server of `value`. */
function split(value: string): string[] {
  const [, scheme = "", login, hosts = "", rest = ""] = urlParts.exec(value) ?? [];
  if (scheme === "" || isNats({ protocol: scheme.toLowerCase() })) return value.split(betweenUrls);
  const at = login === undefined ? "" : `${login}@`;
  return hosts.split(",").map((host) => (host.trim() === "" ? "" : `${scheme}//${at}${host.trim()}${rest}`));
}

const namesHost = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)$/i;

/** What is wrong with the servers of one value together; `undefined`: nothing. */
function problemOf(urls: readonly URL[]): string | undefined {
  const [first, ...others] = urls as [URL, ...URL[]];
  if (urls.some(({ hostname }) => !namesHost.test(hostname))) return "has a server without a host that can be read";
  if (new Set(urls.map(placeOf)).size < urls.length) return "names one server twice";
  if (others.some(({ protocol }) => protocol !== first.protocol))
    return `mixes ${first.protocol}// with other schemes: all servers are reached in one way`;
  if (others.some(({ username, password }) => username !== first.username || password !== first.password))
    return "has different logins: one login is used at all servers";
  if (isNats(first) && urls.some(({ pathname, search, hash }) => pathname.length > 1 || search || hash))
    return "has something behind the port that NATS does not know";
  if (/^rediss?:$/.test(first.protocol) && others.length > 0)
    return "names several servers: use redis-sentinel://user:pass@sentinel1,sentinel2/NAME";
  return isSentinel(first) ? sentinelProblem(first) : undefined;
}

const sentinelParameters: ReadonlySet<string> = new Set(["sentinelUsername", "sentinelPassword"]);

function sentinelProblem({ pathname, searchParams, hash }: URL): string | undefined {
  if (!/^\/[A-Za-z0-9._-]+$/.test(pathname))
    return "needs the name of the master: redis-sentinel://sentinel:26379/NAME";
  if (hash !== "" || [...searchParams.keys()].some((key) => !sentinelParameters.has(key)))
    return `may only have the parameters ${[...sentinelParameters].join(" and ")}`;
  return undefined;
}

/**
 * The servers that a URL names, in order, each as a URL of its own. @throws Error that says what is wrong without
 * quoting anything: an empty entry, servers that cannot be read, different logins or schemes, more than
 * `limits.servers.inOneUrl`
 */
export function serversOf(value: string): [URL, ...URL[]] {
  if (value.length > limits.servers.urlChars) throw new Error(`is longer than ${limits.servers.urlChars} characters`);
  const texts = split(value.trim());
  if (texts.length > limits.servers.inOneUrl)
    throw new Error(`names ${texts.length} servers; at most ${limits.servers.inOneUrl} are possible`);
  const empty = texts.findIndex((text) => text.trim() === "");
  if (empty >= 0 && texts.length > 1) throw new Error(`has nothing at place ${empty + 1} of its list`);
  const urls = texts.map((text) => URL.parse(text.trim()));
  const unread = urls.indexOf(null);
  if (unread >= 0)
    throw new Error(
      texts.length === 1 ? "is no URL that can be read" : `has no URL at place ${unread + 1} of its list`,
    );
  const problem = problemOf(urls as URL[]);
  if (problem !== undefined) throw new Error(problem);
  return urls as [URL, ...URL[]];
}

/** As serversOf; none where the value cannot be read. */
export function readableServersOf(value: string): URL[] {
  try {
    return serversOf(value);
  } catch {
    return [];
  }
}

export interface Address {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where the server of a single URL is. */
export function addressOf({ protocol, hostname, port }: URL): Address {
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (defaultPorts[protocol] ?? 0) : Number(port),
  };
}

const placeOf = (url: URL) => {
  const { host, port } = addressOf(url);
  return `${host.toLowerCase()} ${port}`;
};

/** The servers of a URL as text, to compare and to show: host:port, separated by commas. Without login. */
export function placesOf(value: string): string {
  return serversOf(value)
    .map((url) => `${url.hostname}:${addressOf(url).port}`)
    .join(",");
}

/** The same servers with another login. Texts that are no valid part of a URL are encoded. */
export function withLogin(value: string, { username, password }: { username: string; password: string }): string {
  const urls = serversOf(value);
  for (const url of urls) Object.assign(url, { username: encodeURIComponent(username), password });
  return joined(urls);
}

function joined(urls: readonly [URL, ...URL[]]): string {
  const [first, ...others] = urls;
  if (isNats(first)) return urls.map(({ href }) => href).join(",");
  return first.href.replace(urlParts, (_all, scheme: string, login: string | undefined, host: string, rest: string) => {
    const hosts = [host, ...others.map((url) => url.host)].join(",");
    return `${scheme}//${login === undefined ? "" : `${login}@`}${hosts}${rest}`;
  });
}

/** How Redis is reached through sentinels. */
export interface SentinelUrl {
  readonly sentinels: readonly Address[];
  /** The name by which the sentinels know the master. */
  readonly name: string;
  /** The login at Redis, decoded; empty where the URL has none. */
  readonly username: string;
  readonly password: string;
  /** The login at the sentinels. */
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** Whether Redis and sentinels are reached by TLS. */
  readonly tls: boolean;
}

/** What a URL of Redis says about its sentinels; `undefined` where it names Redis itself. @throws as serversOf */
export function sentinelsOf(value: string): SentinelUrl | undefined {
  const urls = serversOf(value);
  const [{ protocol, username, password, pathname, searchParams }] = urls;
  if (!isSentinel({ protocol })) return undefined;
  return {
    sentinels: urls.map(addressOf),
    name: pathname.slice(1),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    sentinelUsername: searchParams.get("sentinelUsername") ?? undefined,
    sentinelPassword: searchParams.get("sentinelPassword") ?? undefined,
    tls: protocol === "rediss-sentinel:",
  };
}

/** Every password of a URL, those of sentinels too, encoded as they are. */
export function passwordsOf(value: string): string[] {
  return readableServersOf(value).flatMap(({ password, searchParams }) => [
    password,
    searchParams.get("sentinelPassword") ?? "",
  ]);
}

const ofKind = (kind: ServerKind) =>
  z.string().superRefine((value, ctx) => {
    const problem = (message: string) => ctx.addIssue({ code: "custom", message });
    try {
      const [{ protocol }] = serversOf(value);
      const allowed: readonly string[] = schemes[kind];
      if (!allowed.includes(protocol)) problem(`must start with ${allowed.join("// or ")}//`);
    } catch (error) {
      problem((error as Error).message);
    }
  });

/** The kinds of these settings. */
export const serverUrl = {
  NATS_URL: ofKind("NATS_URL"),
  MYSQL_URL: ofKind("MYSQL_URL"),
  REDIS_URL: ofKind("REDIS_URL"),
} as const;
