import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type PubAck } from "nats";
import { limits } from "../../config/limits.ts";
import { watchRefusals } from "./refusals.ts";

interface Awaited {
  readonly subject: string;
  resolve(ack: PubAck): void;
  reject(error: Error): void;
  deadline: number;
}

interface Reply extends PubAck {
  error?: { code: number; err_code?: number; description: string };
}

/** Gets the result of each publication; must not throw. */
export interface PublisherObserver {
  /** The stream has stored a message. */
  accepted(stream: string): void;
  /** The server refused a message, with the code of its API. `stream` is empty where the server did not name one. */
  refused(stream: string, code: number, reason: string): void;
  /** No stream has the subject, or JetStream is down. */
  noStream(): void;
}

/** A publication that the server did not ack. */
export class NotAcked extends Error {
  /** Whether the message may be stored: true where no answer came, false after a refusal. */
  readonly mayHaveHappened: boolean;

  constructor(message: string, mayHaveHappened: boolean) {
    super(message);
    this.mayHaveHappened = mayHaveHappened;
  }
}

/** The error code for a message id that is being stored: this is not a refusal. */
const inProgress = 409;

/**
 * Publications to JetStream with their acks. The client's own `publish` makes a timer and an error object for each;
 * here one subscription receives all acks, and one timer handles those that are overdue.
 */
export class Publisher {
  private readonly connection: NatsConnection;
  private readonly observer: PublisherObserver | undefined;
  private readonly inbox: string;
  /** By the number in the reply subject, oldest first, so in the order of their deadlines. */
  private readonly awaited = new Map<string, Awaited>();
  private readonly overdue: NodeJS.Timeout;
  private sent = 0;

  /** `inboxPrefix`: that of the connection, whose user may subscribe to its own inboxes alone. */
  constructor(connection: NatsConnection, observer?: PublisherObserver, inboxPrefix?: string) {
    this.connection = connection;
    this.observer = observer;
    this.inbox = createInbox(inboxPrefix);
    connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.answered(message);
      },
    });
    void watchRefusals(connection, ({ operation, subject }) => {
      if (operation === "publish") this.refused(subject);
    });
    this.overdue = setInterval(() => this.giveUpOverdue(), limits.jetstream.publishTimeoutMs / 10);
    void connection.closed().then(() => this.close());
  }

  /**
   * Resolves with the server's ack: the message is then in the stream's file. Rejects with `NotAcked` where the server
   * refuses the message or the subject, no stream has the subject, or no ack arrives within
   * `limits.jetstream.publishTimeoutMs`. In the last case the message may be stored (`mayHaveHappened`).
   */
  publish(subject: string, data: Uint8Array, head: MsgHdrs): Promise<PubAck> {
    return new Promise((resolve, reject) => {
      const number = String(++this.sent);
      this.connection.publish(subject, data, { reply: `${this.inbox}.${number}`, headers: head });
      const deadline = performance.now() + limits.jetstream.publishTimeoutMs;
      this.awaited.set(number, { subject, resolve, reject, deadline });
    });
  }

  private answered(message: Msg): void {
    const number = message.subject.slice(this.inbox.length + 1);
    const awaited = this.awaited.get(number);
    if (!awaited) return;
    this.awaited.delete(number);
    if (message.headers?.code === 503) {
      this.observer?.noStream();
      awaited.reject(new NotAcked("no stream has the subject, or JetStream is down", false));
      return;
    }
    try {
      const { error, ...ack } = message.json<Reply>();
      if (error) {
        this.observer?.refused(ack.stream ?? "", error.err_code ?? error.code, error.description);
        awaited.reject(
          new NotAcked(`JetStream refused it: ${error.code} ${error.description}`, error.code === inProgress),
        );
      } else {
        this.observer?.accepted(ack.stream);
        awaited.resolve(ack);
      }
    } catch (error) {
      awaited.reject(new NotAcked(`JetStream's ack cannot be read: ${(error as Error).message}`, true));
    }
  }

  /** The server names the subject alone: of several publications on it, some may be stored. */
  private refused(subject: string): void {
    const refused = [...this.awaited].filter(([, awaited]) => awaited.subject === subject);
    for (const [number, { reject }] of refused) {
      this.awaited.delete(number);
      reject(new NotAcked(`nats-server refuses this login to publish on ${subject}`, refused.length > 1));
    }
  }

  private giveUpOverdue(): void {
    const now = performance.now();
    for (const [number, { reject, deadline }] of this.awaited) {
      if (deadline > now) return;
      this.awaited.delete(number);
      reject(new NotAcked("JetStream did not answer in time", true));
    }
  }

  private close(): void {
    clearInterval(this.overdue);
    for (const { reject } of this.awaited.values()) reject(new NotAcked("the connection was closed", true));
    this.awaited.clear();
  }
}
