import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect, ErrorCode, type NatsConnection } from "nats";
import { limits } from "../config/limits.ts";

/**
 * Connects to NATS. While nats-server reads its configuration again, for some milliseconds, it refuses logins that it
 * knows, or lets a new connection wait for ever: so a login that is refused, or not answered within
 * `limits.jetstream.loginMs`, is tried again, `limits.jetstream.loginTries` times in all. Other failures reject at once.
 */
export async function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  for (let tries = 1; ; tries++) {
    try {
      return await connect({ timeout: limits.jetstream.loginMs, ...options });
    } catch (error) {
      const { code } = (error ?? {}) as { code?: unknown };
      const mayBeReading = code === ErrorCode.AuthorizationViolation || code === ErrorCode.Timeout;
      if (!mayBeReading || tries >= limits.jetstream.loginTries) throw error;
    }
    await pause(limits.jetstream.loginRetryMs);
  }
}
