import { config, serviceUrl, serviceUrlName } from "../config/config.ts";
import { streamNames } from "../mixins/jetstream/definitions.ts";
import type { Logins } from "../mixins/preflight/look.ts";
import type { NatsLogin } from "../mixins/preflight/read-nats.ts";
import { usesRedis } from "../services/redis-access.ts";
import { allStreams, streamAccess } from "../services/stream-access.ts";
import { hasDatabase } from "./databases.ts";

/** With which logins the preflight looks at the servers. */

/** Hosts and ports of a URL, or of several separated by commas, for people: without a login. */
export function placeOf(urls: string): string {
  const places = urls.split(/,(?=[a-z-]+:\/\/)/i).map((url) => /^[a-z-]+:\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(url)?.[1]);
  return places.map((place) => place ?? "?").join(",");
}

/** The streams whose state a service's login may ask for; its provisioner sees all. */
function streamsSeenBy(service: string): string[] {
  if (service === "provisioner") return allStreams.flatMap(streamNames);
  return streamAccess[service as keyof typeof streamAccess].streams.flatMap(streamNames);
}

/** Of a node with these services: their logins at NATS, as few as see all the streams that these see. */
function natsLogins(services: readonly string[]): NatsLogin[] {
  const known = new Set<string>();
  const seeing = services.filter((service) => {
    const news = streamsSeenBy(service).filter((name) => !known.has(name));
    for (const name of news) known.add(name);
    return news.length > 0;
  });
  const chosen = seeing.length > 0 ? seeing : services.slice(0, 1);
  return chosen.map((service) => {
    const [url, streams] = [serviceUrl("NATS_URL", service), streamsSeenBy(service)];
    const wanted = streams.length > 0 ? { wantedReplicas: config().JETSTREAM_REPLICAS } : {};
    return { server: placeOf(url), url, streams, ...wanted };
  });
}

const once = <T>(items: readonly T[], key: (item: T) => string) => [
  ...new Map(items.map((item) => [key(item), item])).values(),
];

/** The logins of a node's own services. @throws Error where one of them is not set or not usable */
export function loginsOf(services: readonly string[]): Logins {
  const redis = services.filter(usesRedis).map((service) => {
    const url = serviceUrl("REDIS_URL", service);
    return { service, url, server: placeOf(url) };
  });
  return {
    nats: natsLogins(services),
    mysql: services.filter(hasDatabase).map((service) => serviceUrl("MYSQL_URL", service)),
    redis: once(redis, ({ server }) => server),
  };
}

/**
 * The logins of a person: the administrators' where they are given, else those of the services that are. What has no
 * login at all is not looked at.
 */
export function loginsOfPerson(services: readonly string[]): Logins {
  const { NATS_ADMIN_URL: natsAdmin, MYSQL_ADMIN_URL: mysqlAdmin } = process.env;
  const isGiven = (kind: "NATS_URL" | "MYSQL_URL" | "REDIS_URL") => (service: string) =>
    Boolean(process.env[serviceUrlName(kind, service)] || config()[kind]);
  const [atNats, atMysql, atRedis] = [
    services.filter(isGiven("NATS_URL")),
    services.filter(isGiven("MYSQL_URL")),
    services.filter(isGiven("REDIS_URL")),
  ];
  const own = { nats: natsLogins(atNats), redis: loginsOf(atRedis).redis };
  const wantedReplicas = config().JETSTREAM_REPLICAS;
  const admin: NatsLogin[] = natsAdmin
    ? [
        {
          ...{ server: placeOf(natsAdmin), url: natsAdmin, admin: true, wantedReplicas },
          streams: allStreams.flatMap(streamNames),
        },
      ]
    : own.nats;
  return {
    nats: admin,
    mysql: mysqlAdmin ? [mysqlAdmin] : loginsOf(atMysql.filter(hasDatabase)).mysql,
    redis: own.redis,
  };
}
