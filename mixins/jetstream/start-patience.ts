import { setTimeout as pause } from "node:timers/promises";
import { ErrorCode, type JetStreamManager, type NatsConnection } from "nats";
import { limits } from "../../config/limits.ts";
import { apiTimeoutMs } from "./definitions.ts";

const noLeader: ReadonlySet<unknown> = new Set([ErrorCode.Timeout, ErrorCode.NoResponders]);

/** Whether JetStream, or one of its streams, has no leader: no answer, or one that says so. */
function mayGetLeader(error: unknown): boolean {
  const { code, api_error } = (error ?? {}) as { code?: unknown; api_error?: { code?: unknown } };
  return noLeader.has(code) || api_error?.code === 503;
}

/**
 * Runs work of a start that may be repeated, again and again while JetStream has no leader for it: in a cluster one of
 * whose servers has died that takes some seconds. After `limits.jetstream.startWaitMs` the last error is thrown.
 */
export async function untilLed<T>(work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + limits.jetstream.startWaitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!mayGetLeader(error) || performance.now() > giveUpAt) throw error;
    }
    await pause(limits.jetstream.provisionerRetryMs);
  }
}

/** JetStream's API, for a start; with the time-out of all requests to it. */
export function openManager(connection: NatsConnection): Promise<JetStreamManager> {
  return untilLed(() => connection.jetstreamManager({ timeout: apiTimeoutMs() }));
}
