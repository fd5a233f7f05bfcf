import { type Empty, ErrorCode, type NatsConnection, RequestStrategy } from "nats";
import { connectNats } from "../../broker/nats-connect.ts";
import { inboxPrefixOf, systemUserOf } from "../../broker/nats-names.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { limits } from "../../config/limits.ts";
import { streamClocks } from "../clock/read-clock.ts";
import type { Skew } from "../clock/skew.ts";
import { findStream } from "../jetstream/streams.ts";
import type { NatsSeen, NatsServerSeen } from "./judge-nats.ts";

export interface NatsLogin {
  /** Where, for people. */
  readonly server: string;
  readonly url: string;
  /** The server's names of the streams that the login may ask for. */
  readonly streams: readonly string[];
  readonly wantedReplicas?: number;
  /** As in `NatsSeen`. */
  readonly provisions?: true;
  /** The administrator's: with its user in the server's own account the settings of all servers are read. */
  readonly admin?: true;
}

/**
 * Reads the version, the streams and the clocks; with the administrator's login the versions and the sync of every
 * server. Rejects with the client's error where the server cannot be reached, or refuses the login.
 */
export async function readNats(login: NatsLogin): Promise<{ seen: NatsSeen; clocks: Skew[] }> {
  const { server, url, streams, wantedReplicas, provisions, admin } = login;
  const connection = await connectNats({ ...natsOptions("preflight", url), maxReconnectAttempts: 0 });
  try {
    const manager = await connection.jetstreamManager({ timeout: limits.jetstream.apiTimeoutMs, checkAPI: false });
    const found = await Promise.all(streams.map((name) => findStream(manager, name)));
    const { info } = connection;
    const answering: NatsServerSeen = { name: info?.server_name ?? "?", version: info?.version ?? "" };
    const all = admin ? await allServers(url) : [];
    return {
      seen: {
        server,
        servers: all.length > 0 ? all : [answering],
        streams: found.flatMap((stream) => {
          if (!stream) return [];
          const { name, num_replicas: replicas, storage } = stream.config;
          return [{ name, replicas, storage }];
        }),
        ...(wantedReplicas === undefined ? {} : { wantedReplicas }),
        ...(provisions ? { provisions } : {}),
      },
      clocks: await streamClocks(
        manager,
        found.flatMap((stream) => stream?.config.name ?? []),
      ),
    };
  } finally {
    await connection.close();
  }
}

/** Every server of the cluster with JetStream, as it tells its own account; none where its configuration has no such user. */
async function allServers(url: string): Promise<NatsServerSeen[]> {
  const options = natsOptions("preflight", url);
  if (!("user" in options)) return [];
  const user = systemUserOf(options.user);
  const system = { ...options, user, inboxPrefix: inboxPrefixOf(user), maxReconnectAttempts: 0 };
  const connection = await connectNats(system).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === ErrorCode.AuthorizationViolation) return undefined;
    throw error;
  });
  try {
    return connection ? await askServers(connection) : [];
  } finally {
    await connection?.close();
  }
}

async function askServers(connection: NatsConnection): Promise<NatsServerSeen[]> {
  const { serversMs: maxWait, nextServerMs: jitter } = limits.preflight;
  const answers = await connection.requestMany("$SYS.REQ.SERVER.PING.VARZ", new Uint8Array() as typeof Empty, {
    ...{ strategy: RequestStrategy.JitterTimer, maxWait, jitter },
  });
  const found: NatsServerSeen[] = [];
  for await (const answer of answers) {
    const seen = answer.data.length === 0 ? undefined : serverOf(answer.json());
    if (seen) found.push(seen);
  }
  return found;
}

/** What a server's VARZ says, `undefined` of one without JetStream. From 2.10 on it has the sync of the store. */
export function serverOf(answer: unknown): NatsServerSeen | undefined {
  const { data } = (answer ?? {}) as { data?: { server_name?: unknown; version?: unknown; jetstream?: unknown } };
  const { config } = (data?.jetstream ?? {}) as { config?: { sync_interval?: unknown; sync_always?: unknown } };
  if (!data || !config) return undefined;
  const nanos = Number(config.sync_interval);
  const sync = config.sync_always === true ? "always" : nanos > 0 ? nanos / 1_000_000 : undefined;
  const seen = { name: String(data.server_name), version: String(data.version) };
  return sync === undefined ? seen : { ...seen, sync };
}
