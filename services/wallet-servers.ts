import { z } from "zod";
import { serviceUrl, settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { plaintextHost } from "../config/plaintext.ts";
import { placesOf, serversOf, serverUrl, withLogin } from "../config/server-urls.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

/**
 * Databases by user: the MySQL servers that hold the wallet's ledgers and the gift records, each of some buckets of users
 * (`storeBucketOf` in services/wallet-buckets.ts). The home server also holds what is of no user: catalogue, shares,
 * audits, and which server has which bucket. Without the setting the home server holds everything.
 *
 * A row is on the server that its user was on when it was written, and stays there. A gift's record is on the server of
 * its charge.
 */

/** A server by its name in the setting, which never changes. */
export interface WalletServer {
  readonly name: string;
  readonly url: string;
}

const nameForm = `[a-z][a-z0-9]{0,${limits.wallet.serverNameChars - 1}}`;
const entryForm = new RegExp(`^(${nameForm})=(.+)$`, "s");
/** A URL has commas of its own, between hosts. */
const betweenEntries = new RegExp(`,(?=\\s*${nameForm}=(?:mysql|mariadb):)`);

/** The name of the server that holds what is of no user, where the first one is not it. */
const home = "home";

/** @throws Error that says what is wrong, without a value */
function parsed(text: string): [WalletServer, ...WalletServer[]] {
  const servers = text.split(betweenEntries).map((entry, at): WalletServer => {
    const [, name, url] = entryForm.exec(entry.trim()) ?? [];
    if (name === undefined || url === undefined)
      throw new Error(
        `entry ${at + 1} is not NAME=URL (a name of at most ${limits.wallet.serverNameChars} of a-z, 0-9)`,
      );
    const { success } = serverUrl.MYSQL_URL.safeParse(url);
    if (!success) throw new Error(`entry ${at + 1} has no usable URL of MySQL`);
    return { name, url };
  });
  if (servers.length > limits.wallet.serversMax) throw new Error(`has more than ${limits.wallet.serversMax} servers`);
  if (new Set(servers.map(({ name }) => name)).size < servers.length) throw new Error("has one name twice");
  if (new Set(servers.map(({ url }) => placesOf(url))).size < servers.length) throw new Error("has one server twice");
  const first = servers.find(({ name }) => name === home) ?? (servers[0] as WalletServer);
  return [first, ...servers.filter((one) => one !== first)];
}

export const walletServersSettings: SettingsBlock = {
  title: "Databases by user",
  settings: {
    WALLET_MYSQL_URLS: {
      kind: z.string().superRefine((value, ctx) => {
        try {
          parsed(value);
        } catch (error) {
          ctx.addIssue({ code: "custom", message: (error as Error).message });
        }
      }),
      optional: true,
      text: [
        "For wallet, gift, auditor and archiver nodes, the same on all of them: several MySQL servers for ledgers and gift",
        "records, each of some users, as NAME=URL,NAME=URL. Names never change. The one called home, else the first, is the",
        "server of MYSQL_URL and has what is of no user. A URL without a login is used with the service's own. Unset: one",
        "server. In production several are to be accepted: PREFLIGHT_ACCEPT=mysql.buckets.",
      ],
    },
  },
  problems({ WALLET_MYSQL_URLS: value = "" }, { PROFILE, PLAINTEXT_HOSTS }) {
    if (PROFILE !== "production" || value === "") return [];
    const servers = parsed(value);
    const withLogins: [string, string][] = servers
      .filter(({ url }) => serversOf(url).some(({ username, password }) => username !== "" || password !== ""))
      .map(({ name }) => [
        "WALLET_MYSQL_URLS",
        `has a login in the URL of ${name}: all services would share it. Without one each uses its own`,
      ]);
    const hosts = servers
      .flatMap(({ url }) => serversOf(url))
      .flatMap(({ href }) => plaintextHost(href, PLAINTEXT_HOSTS) ?? []);
    const inClear = hosts.map((host): [string, string] => [
      "WALLET_MYSQL_URLS",
      `leads in clear to ${host}, which is not known to be this machine or in a private network: use ?ssl={} at the end of ` +
        "the URL, or name the host in PLAINTEXT_HOSTS where nobody else can listen on the way",
    ]);
    return [...withLogins, ...inClear];
  },
};

/** The servers, home first; `undefined`: there is one, and no names. @throws Error where the setting is not usable */
export function walletServers(): readonly [WalletServer, ...WalletServer[]] | undefined {
  const text = settingsOf(walletServersSettings)?.WALLET_MYSQL_URLS;
  return text === undefined ? undefined : parsed(text);
}

/** A server's URL with the login of `own`, unless it has one. */
export function urlAt({ url }: WalletServer, own: string): string {
  if (serversOf(url)[0].username !== "") return url;
  const [{ username, password }] = serversOf(own);
  return withLogin(url, { username: decodeURIComponent(username), password });
}

/**
 * The further servers with the URLs by which a service logs in there. @throws Error where the first one is not the
 * service's own server: all nodes must agree on what is where
 */
export function furtherServers(service: string): readonly WalletServer[] {
  const servers = walletServers();
  if (!servers) return [];
  const [first, ...others] = servers;
  const own = serviceUrl("MYSQL_URL", service);
  if (placesOf(first.url) !== placesOf(own))
    throw new Error(`WALLET_MYSQL_URLS: ${first.name} is not the server of MYSQL_URL, where what is of no user is`);
  return others.map((server) => ({ name: server.name, url: urlAt(server, own) }));
}

/**
 * Ids of rows say which server they are on: those of server n begin after n times this. All of them are safe integers,
 * and rows of two servers never have one id.
 */
const idsOfServer = 100_000_000_000_000n;

/** What comes before the first id of a server. */
export const idBase = (server: number): bigint => BigInt(server) * idsOfServer;

/** The number of the server that gave an id. */
export const serverOfId = (id: string | bigint): number => Number(BigInt(id) / idsOfServer);
