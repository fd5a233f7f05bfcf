import { setTimeout as pause } from "node:timers/promises";
import { ErrorCode, type JetStreamManager, type NatsConnection, NatsError } from "nats";
import { limits } from "../../config/limits.ts";
import { apiTimeoutMs } from "./definitions.ts";
import { untilLed } from "./start-patience.ts";
import { errorCode } from "./streams.ts";

/** A connection that may let a stream's leader step down. */
export type Requests = Pick<NatsConnection, "request">;

/** Of a stream with the subjects of another one. */
const subjectsOverlap = 10065;

/** Whether somebody may be making the stream at this moment: its subjects overlap with its own. */
export const isUnderWay = (error: unknown): boolean => errorCode(error) === subjectsOverlap;

/**
 * Lets all servers of a replicated stream have the same assignment of it. Where several nodes make a stream at once,
 * nats-server 2.9 assigns it several times, each time with another subject on which a replica asks for the messages that
 * it lacks. Servers keep different ones, and one that lost its disk never gets the messages back, which no other server
 * notices. A change of the settings, also to the same ones, gives all of them one subject; the leader, which listens on
 * its former one, steps down (decision 0092), once no replica is behind by its word. When it returns, the stream has a
 * leader again.
 */
export async function letServersAgree(manager: JetStreamManager, nats: Requests, stream: string): Promise<void> {
  await assignOnce(manager, stream);
  await untilCurrent(manager, stream);
  await untilLed(() => stepDown(nats, stream));
  await untilLed(() => manager.streams.info(stream));
}

async function assignOnce(manager: JetStreamManager, stream: string): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      await untilLed(() => manager.streams.update(stream, {}));
      return;
    } catch (error) {
      if (!isUnderWay(error) || tries >= limits.jetstream.makeStreamTries) throw error;
      await pause(limits.jetstream.makeStreamPauseMs);
    }
}

/** One that is away gets the one assignment when it is back. @throws NatsError after `limits.jetstream.startWaitMs` */
async function untilCurrent(manager: JetStreamManager, stream: string): Promise<void> {
  const giveUpAt = performance.now() + limits.jetstream.startWaitMs;
  for (;;) {
    const { cluster } = await untilLed(() => manager.streams.info(stream));
    const behind =
      cluster?.replicas?.filter(({ current, offline }) => !current && !offline).map(({ name }) => name) ?? [];
    if (behind.length === 0) return;
    if (performance.now() > giveUpAt)
      throw new NatsError(`${stream} is behind on ${behind.join(", ")}`, ErrorCode.Timeout);
    await pause(limits.jetstream.makeStreamPauseMs);
  }
}

async function stepDown(nats: Requests, stream: string): Promise<void> {
  const answer = await nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, undefined, { timeout: apiTimeoutMs() });
  const { error } = answer.json<{ error?: { code?: number; description?: string } }>();
  if (error)
    throw Object.assign(new NatsError(`${stream}: ${error.description}`, String(error.code)), { api_error: error });
}
