import type { JetStreamManager, NatsConnection } from "nats";
import { apiTimeoutMs } from "./definitions.ts";
import { untilLed } from "./start-patience.ts";

/** A connection that may change a stream and its leader. */
export type Requests = Pick<NatsConnection, "request">;

/**
 * Lets all servers of a replicated stream have the same assignment of it; a stream without replicas is left alone. Where
 * several nodes make a stream at once, nats-server 2.9 assigns it several times, each time with another subject on which
 * a replica asks for the messages that it lacks. Servers keep different ones, and one that lost its disk never gets the
 * messages back, which no other server notices. A change of the settings, also to the same ones, gives all of them one
 * subject; the leader, which listens on its former one, steps down (decision 0092).
 */
export async function agreeOnStream(
  manager: JetStreamManager,
  nats: Requests | undefined,
  name: string,
  replicas: number,
): Promise<void> {
  if (replicas === 1) return;
  if (!nats)
    throw new Error(`stream ${name} has replicas: it is made with a connection, so that its leader steps down`);
  await untilLed(() => manager.streams.update(name, {}));
  await untilLed(() => stepDown(nats, name));
}

async function stepDown(nats: Requests, stream: string): Promise<void> {
  const answer = await nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, undefined, { timeout: apiTimeoutMs() });
  const { error } = answer.json<{ error?: { code?: number; description?: string } }>();
  if (error) throw Object.assign(new Error(`${stream}: ${error.description}`), { api_error: error });
}
