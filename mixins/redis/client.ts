import { Command, Redis, type RedisOptions } from "ioredis";
import { outage } from "../../broker/failure.ts";
import { isCommandFault } from "../../broker/outages.ts";
import { config, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { redisAddress } from "./address.ts";
import { luaScript } from "./lua-script.ts";

type Stream = Parameters<Redis["sendCommand"]>[1];

/** Commands that the client itself sends while it connects; it handles their errors. */
const ownCommands: ReadonlySet<string> = new Set(["auth", "client", "hello", "info", "quit", "select"]);

/** Of the client's own time-out for a command: `limits.redis.commandTimeoutMs`. */
const timedOut = "Command timed out";

/**
 * A client whose commands fail with `unavailable`, unless the command itself is wrong. Nobody waits for a server that
 * has fallen silent:
 *
 *   answering   commands are sent      -> silent      one was not answered in time
 *   silent      they fail at once      -> answering   a PING is answered, or there is a new connection
 *
 * Emits `silent` and `answering`.
 */
class RedisClient extends Redis {
  private isSilent = false;
  /** These are sent to a silent server too. */
  private readonly always = new WeakSet<object>();

  constructor(address: string | RedisOptions, options: RedisOptions) {
    super(address as string, options);
    this.on("ready", () => this.answers());
    this.on("close", () => this.answers());
  }

  override sendCommand(command: Command, stream?: Stream): unknown {
    if (ownCommands.has(command.name)) return super.sendCommand(command, stream);
    const { reject } = command;
    let refused = false;
    const refuse = (error: Error) => {
      if (refused || command.isResolved) return;
      refused = true;
      if (error.message === timedOut) this.fallSilent();
      reject(isReply(error) && isCommandFault(error) ? error : outage(error, { dependency: "redis" }));
    };
    // Where this process stood still, timers come before sockets are read: an answer that is there already counts.
    command.reject = (error) => {
      if (error.message === timedOut) setImmediate(refuse, error);
      else refuse(error);
    };
    if (this.isSilent && !this.always.has(command)) {
      command.reject(new Error("Redis does not answer: nothing is sent to it until it does"));
      return command.promise;
    }
    return super.sendCommand(command, stream);
  }

  /** Sends a command by itself, and to a silent server too, which may run it when it goes on. */
  sendAlways(name: string, args: (string | number)[]): Promise<unknown> {
    const command = new Command(name, args, { replyEncoding: "utf8", keyPrefix: this.options.keyPrefix });
    this.always.add(command);
    return this.sendCommand(command) as Promise<unknown>;
  }

  private fallSilent(): void {
    if (this.isSilent || this.status !== "ready") return;
    this.isSilent = true;
    this.emit("silent");
    void this.ask();
  }

  private async ask(): Promise<void> {
    while (this.isSilent) {
      const error = await this.sendAlways("ping", []).then(
        () => undefined,
        (failure: Error) => failure,
      );
      if (error === undefined || isReply(error.cause as Error | undefined)) this.answers();
      // A connection that ends has its own events; its commands fail without a pause.
      else if ((error.cause as Error | undefined)?.message !== timedOut) return;
    }
  }

  private answers(): void {
    if (!this.isSilent) return;
    this.isSilent = false;
    this.emit("answering");
  }
}

/** As `RedisClient.sendAlways`, of a client that `openRedis` has made. */
export function sendAlways(redis: Redis, name: string, args: (string | number)[]): Promise<unknown> {
  return (redis as RedisClient).sendAlways(name, args);
}

function isReply(error: Error | undefined): boolean {
  return error?.name === "ReplyError";
}

/**
 * A client, with the login of the service `name` where it has one, that fails fast while Redis is away or silent
 * (commands are not queued) and reconnects by itself, through sentinels to the server that is the master by then. Where
 * a server refuses commands (READONLY, NOREPLICAS, MASTERDOWN, NOPERM, ...) the connection is dropped and `dropped` is
 * called with the error: the next connection resolves the address anew. No command is ever sent twice.
 */
export function openRedis(
  name: string,
  dropped: (error: Error) => void = () => {},
  url = serviceUrl("REDIS_URL", name),
): Redis {
  let droppedAt = Number.NEGATIVE_INFINITY;
  /** The connection was dropped on purpose: the next one is opened without delay. */
  let atOnce = false;
  return new RedisClient(redisAddress(url), {
    keyPrefix: `${config().NAMESPACE}:`,
    connectionName: name,
    // Its commands (CLIENT SETINFO) are refused by a login of a service, and unknown to Redis 7.0.
    disableClientInfo: true,
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

/** Resolves where Redis runs a script that writes; each `owner` has a key that expires in seconds. Fails: unavailable. */
export async function requireWritable(redis: Redis, owner: string): Promise<void> {
  await redis.eval(writeScript, 1, `health:${owner}`, limits.redis.probeTtlMs);
}

/** Bytes received on the current connection. */
function bytesReceived(redis: Redis): number {
  return (redis as unknown as { stream?: { bytesRead: number } }).stream?.bytesRead ?? 0;
}

/**
 * Probes the connection with a write every `limits.redis.probeEveryMs`, so that a client that only reads leaves a
 * demoted primary too (`reconnectOnError` decides). A connection that hangs is dropped after `limits.redis.silenceMs`,
 * in its handshake (a server that loads its data) or after it (a dead machine). Returns a function that stops the
 * probes.
 */
export function probeConnection(redis: Redis, owner: string): () => void {
  let heardAt = performance.now();
  let bytes = bytesReceived(redis);
  const heard = () => {
    heardAt = performance.now();
    bytes = bytesReceived(redis);
  };
  const dropSilent = () => {
    // Any bytes show that the server is alive, those of a late answer too.
    if (bytesReceived(redis) !== bytes) heard();
    if (performance.now() - heardAt < limits.redis.silenceMs) return;
    heard();
    redis.disconnect(true);
  };
  const probe = () => {
    if (redis.status === "ready")
      requireWritable(redis, owner).then(heard, (error: Error) => {
        if (isReply(error.cause as Error | undefined) || isReply(error)) heard();
        else if (redis.status === "ready") dropSilent();
      });
    else if (redis.status === "connect") dropSilent();
    else heard();
  };
  const timer = setInterval(probe, limits.redis.probeEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
