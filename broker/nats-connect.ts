import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect, ErrorCode, type NatsConnection } from "nats";
import { limits } from "../config/limits.ts";
import { addressOf } from "../config/server-urls.ts";

/** The client's list of servers, in nats.js 2. */
interface ServerList {
  getServers(): readonly { readonly hostname: string; readonly port: number }[];
  addServer(server: string): void;
}

/**
 * Makes a connection know all its servers. At its first connection the client forgets those that did not answer, and
 * would never try them again.
 */
export function rememberServers(connection: object, servers: ConnectionOptions["servers"]): void {
  const list = (connection as { protocol?: { servers?: ServerList } }).protocol?.servers;
  if (!list || !Array.isArray(servers)) return;
  const known = new Set(list.getServers().map(({ hostname, port }) => `${hostname} ${port}`));
  for (const server of servers) {
    const { host, port } = addressOf(new URL(`nats://${server}`));
    if (!known.has(`${host} ${port}`)) list.addServer(server);
  }
}

/**
 * Connects to NATS, where the options name several servers to any of them. While nats-server reads its configuration again, for some milliseconds, it refuses logins that it
 * knows, or lets a new connection wait for ever: so a login that is refused, or not answered within
 * `limits.jetstream.loginMs`, is tried again, `limits.jetstream.loginTries` times in all. Other failures reject at once.
 */
export async function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  for (let tries = 1; ; tries++) {
    try {
      const connection = await connect({ timeout: limits.jetstream.loginMs, ...options });
      rememberServers(connection, options.servers);
      return connection;
    } catch (error) {
      const { code } = (error ?? {}) as { code?: unknown };
      const mayBeReading = code === ErrorCode.AuthorizationViolation || code === ErrorCode.Timeout;
      if (!mayBeReading || tries >= limits.jetstream.loginTries) throw error;
    }
    await pause(limits.jetstream.loginRetryMs);
  }
}
