import { readFileSync } from "node:fs";
import { config } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { addressOf, serversOf } from "../config/server-urls.ts";
import { busUserOf, inboxPrefixOf, mirrorUserOf, natsUser, readersUserOf } from "./nats-names.ts";

const decoded = (text: string) => decodeURIComponent(text);

/** The credentials of a URL, as fields: the client ignores some combinations of URL and options. */
function credentialsOf({ username, password }: URL): { user: string; pass: string } | { token: string } | undefined {
  if (!username) return undefined;
  if (!password) return { token: decoded(username) };
  return { user: decoded(username), pass: decoded(password) };
}

/** With `tls:` the server's certificate is checked, by the authorities of NATS_CA where that is set. */
function tlsOf({ protocol }: URL): { tls?: { ca?: string } } {
  if (protocol !== "tls:") return {};
  const file = config().NATS_CA;
  return { tls: file === undefined ? {} : { ca: readFileSync(file, "utf8") } };
}

/**
 * The options of a connection to JetStream, as the user of `address`. Its inboxes are the user's own. It reconnects
 * without limit, also after its login was refused, so that changed credentials heal; callers bound what waits
 * meanwhile.
 *
 * Of several servers it takes any that answers, and none that the servers name beside them: those hosts were not
 * checked (config/plaintext.ts), and the login is sent there. A server that is silent is left soon.
 */
export function natsOptions(name: string, address: string = config().NATS_URL) {
  if (address === "") throw new Error("NATS_URL is not set (see .env.example).");
  const urls = serversOf(address);
  const [url] = urls;
  const credentials = credentialsOf(url);
  const isOneOfSeveral = urls.length > 1;
  return {
    servers: urls.map((one) => `${one.hostname}:${addressOf(one).port}`),
    ignoreClusterUpdates: isOneOfSeveral,
    timeout: isOneOfSeveral ? limits.jetstream.otherServerAfterMs : limits.jetstream.loginMs,
    name: `${config().NAMESPACE}-${name}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    ignoreAuthErrorAbort: true,
    pingInterval: isOneOfSeveral ? limits.jetstream.otherServerAfterMs : 10_000,
    maxPingOut: 2,
    // A stack trace for every publication, in case it fails, costs more than the publication.
    noAsyncTraces: true,
    ...credentials,
    ...(credentials && "user" in credentials ? { inboxPrefix: inboxPrefixOf(credentials.user) } : {}),
    ...tlsOf(url),
  };
}

/** The options of a person's command that needs more rights than a service: NATS_ADMIN_URL, else NATS_URL. */
export function adminOptions(name: string) {
  return natsOptions(name, process.env.NATS_ADMIN_URL || config().NATS_URL);
}

/**
 * The options of the connection to Moleculer's bus. The user there is that of `address` with its ending, and the
 * password is the same: a service's login is one pair.
 */
export function busOptions(name: string, address: string = config().NATS_URL) {
  const options = natsOptions(name, address);
  if (!("user" in options)) return options;
  const user = busUserOf(options.user);
  return { ...options, user, inboxPrefix: inboxPrefixOf(user) };
}

/**
 * The options of the provisioner's connections for other systems that read EVENTS: as the users that belong to its own
 * of `address` in the account of the mirror and in that of the readers. `undefined` with any other login, e.g. an
 * administrator's: that has no such users.
 */
export function readersOptions(name: string, address: string) {
  const options = natsOptions(name, address);
  if (!("user" in options) || options.user !== natsUser("provisioner", config().NAMESPACE)) return undefined;
  const as = (user: string) => ({ ...options, user, inboxPrefix: inboxPrefixOf(user) });
  return { mirror: as(mirrorUserOf(options.user)), readers: as(readersUserOf(options.user)) };
}
