import type { NatsConnection } from "nats";
import { limits } from "../../config/limits.ts";

interface Log {
  warn(about: object, message: string): void;
}

/**
 * Takes another server of the cluster where this one answers pings, and JetStream does not through it for long. After a server
 * of a cluster has come back, another one may not pass requests on to it any more (seen with nats-server 2.9): consumers
 * that the one leads are then reached through the third alone, for as long as the route between the two stands.
 */
export class OtherServer {
  private readonly connection: Pick<NatsConnection, "getServer" | "reconnect" | "flush" | "isClosed" | "isDraining">;
  private readonly log: Log;
  private readonly now: () => number;
  /** When the first of the last failures was, which no success has followed. */
  private readonly failing = new Map<string, number>();
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

  unanswered(what: string): void {
    const since = this.failing.get(what) ?? this.now();
    this.failing.set(what, since);
    if (this.changing || this.now() - since < limits.jetstream.unansweredMs) return;
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
    await connection.reconnect();
    await connection.flush();
    // The client may begin with the one that it had.
    if (connection.getServer() === former) await connection.reconnect();
  }
}
