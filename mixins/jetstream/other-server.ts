import { ErrorCode, Events, type NatsConnection, NatsError } from "nats";
import { limits } from "../../config/limits.ts";
import { serversOf } from "../../config/server-urls.ts";

const noAnswer: ReadonlySet<unknown> = new Set([ErrorCode.Timeout, ErrorCode.NoResponders]);

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
  /** When the first and the last of the failures were that no success has followed. */
  private readonly failing = new Map<string, { since: number; at: number }>();
  private changing = false;

  constructor(connection: OtherServer["connection"], log: Log, now: () => number = () => performance.now()) {
    this.connection = connection;
    this.log = log;
    this.now = now;
  }

  /** Pulls of a consumer were answered, or what else is asked for again and again. */
  answered(what: string): void {
    this.failing.delete(what);
  }

  /** Runs something that asks JetStream again and again, and notes whether it was answered. Rejects as `work`. */
  async watch<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.answered(what);
      return result;
    } catch (error) {
      if (noAnswer.has((error as Partial<NatsError> | null)?.code)) this.unanswered(what);
      throw error;
    }
  }

  /** Pulls of a consumer failed. An error that JetStream answered with is an answer. */
  failed(what: string, error: unknown): void {
    if (error instanceof NatsError && error.api_error) this.answered(what);
    else this.unanswered(what);
  }

  unanswered(what: string): void {
    const { unansweredMs } = limits.jetstream;
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

/** For a connection to several servers. */
export function otherServerOf(connection: NatsConnection, url: string, log: Log): OtherServer | undefined {
  return serversOf(url).length > 1 ? new OtherServer(connection, log) : undefined;
}

/** Resolves once the client has connected again: `reconnect` alone ends the connection, and does not wait for the next. */
async function reconnected(connection: Pick<NatsConnection, "reconnect" | "status">): Promise<void> {
  const statuses = connection.status();
  await connection.reconnect();
  for await (const { type } of statuses) if (type === Events.Reconnect) return;
}
