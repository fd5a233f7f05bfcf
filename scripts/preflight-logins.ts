import { config, hasOwnLogin, serviceUrl } from "../config/config.ts";
import { placesOf, type ServerKind } from "../config/server-urls.ts";
import { deadLetters, streamNames } from "../mixins/jetstream/definitions.ts";
import type { Logins } from "../mixins/preflight/look.ts";
import type { NatsLogin } from "../mixins/preflight/read-nats.ts";
import { usesRedis } from "../services/redis-access.ts";
import { allStreams, streamAccess } from "../services/stream-access.ts";
import { furtherServers, urlAt, walletServers } from "../services/wallet-servers.ts";
import { servicesByUser } from "./add-servers.ts";
import { hasDatabase } from "./databases.ts";

/** With which logins the preflight looks at the servers. */

/** The streams whose state a service's login may ask for; the provisioner's sees all. */
function streamsSeenBy(service: string): string[] {
  if (service === "provisioner") return allStreams.flatMap(streamNames);
  const { streams } = streamAccess[service as keyof typeof streamAccess];
  return streams.length === 0 ? [] : [...streams, deadLetters].flatMap(streamNames);
}

/** Of a node with these services: their logins at NATS, as few as see all the streams that these see. */
function natsLogins(services: readonly string[], isNode: boolean): NatsLogin[] {
  const known = new Set<string>();
  const seeing = services.filter((service) => {
    const news = streamsSeenBy(service).filter((name) => !known.has(name));
    for (const name of news) known.add(name);
    return news.length > 0;
  });
  // A person's shell may lack the setting that the provisioner's node has.
  const provisions = isNode && services.includes("provisioner") ? ({ provisions: true } as const) : {};
  const chosen = seeing.length > 0 ? seeing : services.slice(0, 1);
  return chosen.map((service) => {
    const [url, streams] = [serviceUrl("NATS_URL", service), streamsSeenBy(service)];
    const wanted = streams.length > 0 ? { wantedReplicas: config().JETSTREAM_REPLICAS, ...provisions } : {};
    return { server: placesOf(url), url, streams, ...wanted };
  });
}

/** With the further servers of ledgers and gift records. */
const mysqlLogins = (services: readonly string[]) =>
  services
    .filter(hasDatabase)
    .flatMap((service) => [
      serviceUrl("MYSQL_URL", service),
      ...(byUser.includes(service) ? furtherServers(service).map(({ url }) => url) : []),
    ]);
const byUser: readonly string[] = [...servicesByUser, "archiver"];

/** One login of each server. */
function redisLogins(services: readonly string[]): Logins["redis"] {
  const all = services.filter(usesRedis).map((service) => {
    const url = serviceUrl("REDIS_URL", service);
    return { service, url, server: placesOf(url) };
  });
  return [...new Map(all.map((login) => [login.server, login])).values()];
}

/** The logins of a node's own services. @throws Error where one of them is not set or not usable */
export function loginsOf(services: readonly string[]): Logins {
  return {
    ...{ nats: natsLogins(services, true), mysql: mysqlLogins(services), redis: redisLogins(services) },
    buckets: services.some((service) => byUser.includes(service)) ? namesOfServers() : [],
  };
}

/**
 * The logins of a person: the administrators' where they are given, else those of the services that are. What has no
 * login at all is not looked at.
 */
export function loginsOfPerson(services: readonly string[]): Logins {
  const { NATS_ADMIN_URL: natsAdmin, MYSQL_ADMIN_URL: mysqlAdmin } = process.env;
  const having = (kind: ServerKind) =>
    services.filter((service) => hasOwnLogin(kind, service) || config()[kind] !== "");
  return {
    nats: natsAdmin ? [adminAtNats(natsAdmin)] : natsLogins(having("NATS_URL"), false),
    mysql: mysqlAdmin ? [mysqlAdmin, ...furtherOf(mysqlAdmin)] : mysqlLogins(having("MYSQL_URL")),
    redis: redisLogins(having("REDIS_URL")),
    buckets: namesOfServers(),
  };
}

const namesOfServers = () => (walletServers() ?? []).map(({ name }) => name);

const furtherOf = (admin: string) => (walletServers() ?? []).slice(1).map((server) => urlAt(server, admin));

function adminAtNats(url: string): NatsLogin {
  const streams = allStreams.flatMap(streamNames);
  return { server: placesOf(url), url, streams, wantedReplicas: config().JETSTREAM_REPLICAS, admin: true };
}
