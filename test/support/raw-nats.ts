import { createInbox, type Msg, type NatsConnection } from "nats";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions } from "../../broker/nats-options.ts";

/** What came of an attempt of a raw client. */
export type Outcome = "done" | "refused";

/** A client of its own with somebody's URL, and what the server refuses it. */
export class RawNats {
  readonly connection: NatsConnection;
  private readonly refusals: { operation: string; subject: string }[] = [];

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    void this.watch();
  }

  /** Rejects where the server does not let it in. */
  static async open(url: string): Promise<RawNats> {
    return new RawNats(
      await connectNats({ ...natsOptions("raw", url), ignoreAuthErrorAbort: false, reconnect: false }),
    );
  }

  private async watch(): Promise<void> {
    for await (const { permissionContext } of this.connection.status() as AsyncIterable<{
      permissionContext?: { operation: string; subject: string };
    }>)
      if (permissionContext) this.refusals.push(permissionContext);
  }

  /** The server answers a refusal before the PONG of a later PING; the client tells it a turn later. */
  private async outcomeOf(operation: "publish" | "subscription", subject: string): Promise<Outcome> {
    await this.connection.flush();
    await new Promise((resolve) => setImmediate(resolve));
    const isOf = (one: { operation: string; subject: string }) =>
      one.operation === operation && one.subject === subject;
    return this.refusals.some(isOf) ? "refused" : "done";
  }

  async publish(subject: string, body = "", reply?: string): Promise<Outcome> {
    this.connection.publish(subject, body, reply === undefined ? {} : { reply });
    return this.outcomeOf("publish", subject);
  }

  async subscribe(subject: string): Promise<Outcome> {
    this.connection.subscribe(subject);
    return this.outcomeOf("subscription", subject);
  }

  /** A request of JetStream's API, with a reply to an inbox of the user's own; its answer, or that it was refused. */
  async ask(subject: string, body: object | string = ""): Promise<Record<string, unknown> | "refused"> {
    const inbox = createInbox((natsPrefixOf(this.connection) ?? "_INBOX") as string);
    const answer = new Promise<Msg>((resolve) => {
      this.connection.subscribe(inbox, { max: 1, callback: (_error, message) => resolve(message) });
    });
    const text = typeof body === "string" ? body : JSON.stringify(body);
    if ((await this.publish(subject, text, inbox)) === "refused") return "refused";
    const message = await answer;
    return message.data.length === 0 ? {} : message.json<Record<string, unknown>>();
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** The prefix of the inboxes of a connection's user. */
function natsPrefixOf(connection: NatsConnection): string | undefined {
  return (connection as unknown as { options: { inboxPrefix?: string } }).options.inboxPrefix;
}
