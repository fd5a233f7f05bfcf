import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect, ErrorCode, type NatsConnection } from "nats";
import { limits } from "../config/limits.ts";

/**
 * Connects to NATS. While nats-server reads its configuration again, for some milliseconds, it refuses logins that it
 * knows: so a refused login is tried again, `limits.jetstream.loginTries` times in all. Other failures reject at once.
 */
export async function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  for (let tries = 1; ; tries++) {
    try {
      return await connect(options);
    } catch (error) {
      const isRefused = (error as { code?: unknown } | null)?.code === ErrorCode.AuthorizationViolation;
      if (!isRefused || tries >= limits.jetstream.loginTries) throw error;
    }
    await pause(limits.jetstream.loginRetryMs);
  }
}
