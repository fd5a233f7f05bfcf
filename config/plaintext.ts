import { readAddress } from "./ip-address.ts";
import { readableServersOf } from "./server-urls.ts";
import { readTrustedProxies } from "./trusted-proxies.ts";

/** Which servers a process would reach without TLS, outside of loopback and private networks. Pure. */

const tls: readonly (readonly [variable: RegExp, text: string])[] = [
  [/(?:^|_)NATS_(?:[A-Z0-9_]+_)?URL$/, "tls://"],
  [/(?:^|_)REDIS_(?:[A-Z0-9_]+_)?URL$/, "rediss://"],
  [/(?:^|_)MYSQL_(?:[A-Z0-9_]+_)?URL$/, "?ssl={} at its end"],
];

/** How the URL of this variable asks for TLS, for people. */
export function tlsOf(name: string): string {
  return tls.find(([variable]) => variable.test(name))?.[1] ?? "https://";
}

const privateNetworks = readTrustedProxies("loopback,linklocal,uniquelocal");

/**
 * URLs of servers: of the whole system, of one service, e.g. WALLET_MYSQL_URL, and those with more rights, e.g.
 * MYSQL_MIGRATION_URL and NATS_BUS_ADMIN_URL.
 */
export function isServerUrl(name: string): boolean {
  return tls.some(([variable]) => variable.test(name));
}

/** URLs whose answers or contents decide who logs in. */
const otherUrls: ReadonlySet<string> = new Set(["SMS_WEBHOOK_URL", "JWT_JWKS_URL"]);

const clearSchemes: ReadonlySet<string> = new Set([
  ...["nats:", "redis:", "redis-sentinel:", "mysql:", "mariadb:"],
  "http:",
]);

/** Values of mysql2's parameter `ssl` that mean no TLS. */
const noTls: ReadonlySet<string | null> = new Set([null, "", "false", "null", "0"]);

function isClear({ protocol, searchParams }: URL): boolean {
  if (!clearSchemes.has(protocol)) return false;
  return !/^(?:mysql|mariadb):$/.test(protocol) || noTls.has(searchParams.get("ssl"));
}

/** The host of a URL, as `PLAINTEXT_HOSTS` names it: an IPv6 address without brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
}

/**
 * A name may lead anywhere, whatever it looks like, and is not resolved here; `localhost` alone is known to be this
 * machine.
 */
function isNear(host: string): boolean {
  if (host === "localhost") return true;
  const address = readAddress(host);
  return address !== undefined && privateNetworks.trusts(address, 0);
}

/**
 * Each variable whose URL leads in clear to hosts that are neither on loopback, nor addresses of a private network, nor
 * named in `accepted`; with each of these hosts. URLs that cannot be read are not listed. To which Redis sentinels lead
 * is not known here.
 */
export function plaintextServers(
  env: Readonly<Record<string, string | undefined>>,
  accepted: readonly string[],
): { name: string; host: string }[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!value) return [];
    if (isServerUrl(name)) return readableServersOf(value).flatMap((url) => hostInClear(name, url, accepted));
    const url = otherUrls.has(name) ? URL.parse(value) : null;
    return url ? hostInClear(name, url, accepted) : [];
  });
}

function hostInClear(name: string, url: URL, accepted: readonly string[]): { name: string; host: string }[] {
  if (!isClear(url)) return [];
  const host = hostOf(url);
  return isNear(host) || accepted.includes(host) ? [] : [{ name, host }];
}

/** The host of a URL of one server that leads in clear where others may listen: see `plaintextServers`. */
export function plaintextHost(value: string, accepted: readonly string[]): string | undefined {
  const url = URL.parse(value);
  return url ? hostInClear("", url, accepted)[0]?.host : undefined;
}
