import { config } from "../config/config.ts";

/**
 * The options of every NATS connection, to `address`. Credentials of the URL are passed as fields, since the client ignores some
 * combinations of URL and options. It reconnects without limit; callers bound what waits meanwhile.
 */
export function natsOptions(name: string, address: string = config().NATS_URL) {
  if (address === "") throw new Error("NATS_URL is not set (see .env.example).");
  const url = new URL(address);
  const tls = url.protocol === "tls:" ? { tls: {} } : {};
  const credentials = url.username
    ? url.password
      ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      : { token: decodeURIComponent(url.username) }
    : {};
  return {
    servers: `${url.hostname}:${url.port || "4222"}`,
    name: `${config().NAMESPACE}-${name}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    pingInterval: 10_000,
    maxPingOut: 2,
    // A stack trace for every publication, in case it fails, costs more than the publication.
    noAsyncTraces: true,
    ...credentials,
    ...tls,
  };
}
