import { Redis } from "ioredis";
import { outage } from "../../broker/failure.ts";
import { isCommandFault } from "../../broker/outages.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { luaScript } from "./lua-script.ts";

type Command = Parameters<Redis["sendCommand"]>[0];
type Stream = Parameters<Redis["sendCommand"]>[1];

/** What the client sends by itself while it connects, and whose errors it reads itself. */
const ownCommands: ReadonlySet<string> = new Set(["auth", "client", "hello", "info", "quit", "select"]);

/** A client whose commands fail with `unavailable`, unless the reply says that the command itself is wrong. */
class RedisClient extends Redis {
  override sendCommand(command: Command, stream?: Stream): unknown {
    if (!ownCommands.has(command.name)) {
      const { reject } = command;
      command.reject = (error) =>
        reject(isReply(error) && isCommandFault(error) ? error : outage(error, { dependency: "redis" }));
    }
    return super.sendCommand(command, stream);
  }
}

function isReply(error: Error | undefined): boolean {
  return error?.name === "ReplyError";
}

/**
 * A client that fails fast while Redis is away (nothing queues up) and reconnects by itself. When a server refuses
 * commands (READONLY, NOREPLICAS, MASTERDOWN, NOPERM, ...), the connection is dropped: the next one goes to wherever
 * the address leads by then. No command is ever sent twice. `dropped` is called with the error.
 */
export function openRedis(name: string, dropped: (error: Error) => void = () => {}, url = config().REDIS_URL): Redis {
  let droppedAt = Number.NEGATIVE_INFINITY;
  /** The connection was given up and not lost: the next one need not wait. */
  let atOnce = false;
  return new RedisClient(url, {
    keyPrefix: `${config().NAMESPACE}:`,
    connectionName: name,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: limits.redis.connectTimeoutMs,
    commandTimeout: limits.redis.commandTimeoutMs,
    disconnectTimeout: limits.redis.disconnectTimeoutMs,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => {
      const delayMs = atOnce ? 0 : Math.min(attempt * 100, limits.redis.reconnectMaxDelayMs);
      atOnce = false;
      return delayMs;
    },
    reconnectOnError: (error) => {
      const { command } = error as Error & { command?: { name: string } };
      if (isCommandFault(error) || (command && ownCommands.has(command.name))) return false;
      if (performance.now() - droppedAt < limits.redis.dropEveryMs) return false;
      droppedAt = performance.now();
      atOnce = true;
      dropped(error);
      return 1;
    },
  });
}

const writeScript = luaScript("mixins/redis/lua/write-probe.lua");

/**
 * Resolves where Redis runs a script that writes. The key, one for each `owner`, expires in seconds. Fails:
 * unavailable.
 */
export async function requireWritable(redis: Redis, owner: string): Promise<void> {
  await redis.eval(writeScript, 1, `health:${owner}`, limits.redis.lookTtlMs);
}

/** On the connection that there is. */
function bytesReceived(redis: Redis): number {
  return (redis as unknown as { stream?: { bytesRead: number } }).stream?.bytesRead ?? 0;
}

/**
 * Probes the connection with a write every `limits.redis.lookEveryMs`, so that a client that only reads leaves a
 * demoted primary too (`reconnectOnError` judges the answer). A connection that hangs, in its handshake (a server that
 * loads for minutes) or after it (a dead machine), is dropped after `limits.redis.silenceMs`. Returns a function that
 * ends this.
 */
export function probeConnection(redis: Redis, owner: string): () => void {
  let heardAt = performance.now();
  let bytes = bytesReceived(redis);
  const heard = () => {
    heardAt = performance.now();
    bytes = bytesReceived(redis);
  };
  const giveUpSilent = () => {
    // Any bytes, also of a late answer, show that the server is alive.
    if (bytesReceived(redis) !== bytes) heard();
    if (performance.now() - heardAt < limits.redis.silenceMs) return;
    heard();
    redis.disconnect(true);
  };
  const probe = () => {
    if (redis.status === "ready")
      requireWritable(redis, owner).then(heard, (error: Error) => {
        if (isReply(error.cause as Error | undefined) || isReply(error)) heard();
        else if (redis.status === "ready") giveUpSilent();
      });
    else if (redis.status === "connect") giveUpSilent();
    else heard();
  };
  const timer = setInterval(probe, limits.redis.lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
