import { Events, type NatsConnection, NatsError } from "nats";
import { limits } from "../../config/limits.ts";
import { serversOf } from "../../config/server-urls.ts";

interface Log {
  warn(about: object, message: string): void;
}

/**
 * Takes another server of the cluster where this one answers pings, and JetStream does not through it for long. After a server
 * of a cluster has come back, another one may not pass requests on to it any more (seen with nats-server 2.9): consumers
 * that the one leads are then reached through the third alone, for as long as the route between the two stands.
 */
export class OtherServer {
  private readonly connection: Pick<NatsConnection, "getServer" | "reconnect" | "status" | "isClosed" | "isDraining">;
  private readonly log: Log;
  private readonly now: () => number;
  private readonly unansweredMs: number;
  /** When the first and the last of the failures were that no success has followed. */
  private readonly failing = new Map<string, { since: number; at: number }>();
  private changing = false;

  /** `unansweredMs`: for how long something must fail; 0 for what is asked for rarely, and fails after a time-out. */
  constructor(
    connection: OtherServer["connection"],
    log: Log,
    now: () => number = () => performance.now(),
    unansweredMs: number = limits.jetstream.unansweredMs,
  ) {
    this.connection = connection;
    this.log = log;
    this.now = now;
    this.unansweredMs = unansweredMs;
  }

  /** Pulls of a consumer were answered, or what else is asked for again and again. */
  answered(what: string): void {
    this.failing.delete(what);
  }

  /** Runs something that asks JetStream, and notes whether it was answered. Rejects as `work`. */
  async watch<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.answered(what);
      return result;
    } catch (error) {
      if (error instanceof NatsError) this.failed(what, error);
      throw error;
    }
  }

  /** Pulls of a consumer failed. An error that JetStream answered with is an answer. */
  failed(what: string, error: unknown): void {
    if (error instanceof NatsError && error.api_error) this.answered(what);
    else this.unanswered(what);
  }

  unanswered(what: string): void {
    const { unansweredMs } = this;
    const now = this.now();
    // Who has not asked for long, e.g. since it left a partition, begins anew.
    const last = this.failing.get(what);
    const since = last && now - last.at < 2 * unansweredMs ? last.since : now;
    this.failing.set(what, { since, at: now });
    if (this.changing || now - since < unansweredMs) return;
    this.changing = true;
    this.change(what)
      .catch((error: unknown) => this.log.warn({ err: error }, "no other server of NATS was taken"))
      .finally(() => {
        this.failing.clear();
        this.changing = false;
      });
  }

  private async change(what: string): Promise<void> {
    const { connection } = this;
    if (connection.isClosed() || connection.isDraining()) return;
    const former = connection.getServer();
    this.log.warn({ asked: what, server: former }, "JetStream does not answer through this server: another is taken");
    await reconnected(connection);
    // The client may begin with the one that it had.
    if (connection.getServer() === former) await reconnected(connection);
  }
}

/** For a connection that is used rarely, to a cluster: the first request without an answer changes it. */
export function otherServerOf(connection: NatsConnection, url: string, log: Log): OtherServer | undefined {
  return serversOf(url).length > 1 ? new OtherServer(connection, log, undefined, 0) : undefined;
}

/** Resolves once the client has connected again: `reconnect` alone ends the connection, and does not wait for the next. */
async function reconnected(connection: Pick<NatsConnection, "reconnect" | "status">): Promise<void> {
  const statuses = connection.status();
  await connection.reconnect();
  for await (const { type } of statuses) if (type === Events.Reconnect) return;
}
