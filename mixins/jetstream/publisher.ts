import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type PubAck } from "nats";
import { limits } from "../../config/limits.ts";
import { watchRefusals } from "./refusals.ts";

interface Awaited {
  readonly subject: string;
  /** Publishes the message again, with its id. */
  send(): void;
  resolve(ack: PubAck): void;
  reject(error: Error): void;
  readonly startedAt: number;
  /** How often it was published. */
  tries: number;
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
  /** By the number in the reply subject, oldest first. */
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
    // Where this process stood still, acks that have come are read first.
    const look = () => setImmediate(() => this.lookForOverdue());
    this.overdue = setInterval(look, limits.jetstream.publishTimeoutMs / 10);
    void connection.closed().then(() => this.close());
  }

  /**
   * Resolves with the server's ack: the message is then in the stream's file. Rejects with `NotAcked` where the server
   * refuses the message or the subject, no stream has the subject, or no ack arrives within
   * `limits.jetstream.publishTimeoutMs`. In the last case the message may be stored (`mayHaveHappened`).
   *
   * What is not answered is published once more after `limits.jetstream.publishAgainMs`, since a request or its ack may be
   * lost on the way (a leader that moves, a reload of the server): `head` must have a `Nats-Msg-Id`, by which the stream
   * stores it once. Only once, since a cluster that is slow would have to sort out each repeat.
   */
  publish(subject: string, data: Uint8Array, head: MsgHdrs): Promise<PubAck> {
    return new Promise((resolve, reject) => {
      const number = String(++this.sent);
      const options = { reply: `${this.inbox}.${number}`, headers: head };
      const send = () => this.connection.publish(subject, data, options);
      send();
      this.awaited.set(number, { subject, send, resolve, reject, startedAt: performance.now(), tries: 1 });
    });
  }

  private answered(message: Msg): void {
    const number = message.subject.slice(this.inbox.length + 1);
    const awaited = this.awaited.get(number);
    if (!awaited) return;
    const again = awaited.tries > 1;
    if (message.headers?.code === 503) {
      this.awaited.delete(number);
      this.observer?.noStream();
      awaited.reject(new NotAcked("no stream has the subject, or JetStream is down", again));
      return;
    }
    try {
      const { error, ...ack } = message.json<Reply>();
      // The ack of the first one is on its way.
      if (error?.code === inProgress && again) return;
      this.awaited.delete(number);
      if (error) {
        this.observer?.refused(ack.stream ?? "", error.err_code ?? error.code, error.description);
        awaited.reject(
          new NotAcked(`JetStream refused it: ${error.code} ${error.description}`, again || error.code === inProgress),
        );
      } else {
        this.observer?.accepted(ack.stream);
        awaited.resolve(ack);
      }
    } catch (error) {
      this.awaited.delete(number);
      awaited.reject(new NotAcked(`JetStream's ack cannot be read: ${(error as Error).message}`, true));
    }
  }

  /** The server names the subject alone: of several publications on it, some may be stored. */
  private refused(subject: string): void {
    const refused = [...this.awaited].filter(([, awaited]) => awaited.subject === subject);
    for (const [number, { reject, tries }] of refused) {
      this.awaited.delete(number);
      const perhaps = refused.length > 1 || tries > 1;
      reject(new NotAcked(`nats-server refuses this login to publish on ${subject}`, perhaps));
    }
  }

  private lookForOverdue(): void {
    const { publishTimeoutMs, publishAgainMs } = limits.jetstream;
    const now = performance.now();
    for (const [number, awaited] of this.awaited) {
      const waited = now - awaited.startedAt;
      if (waited < publishAgainMs) return;
      if (waited >= publishTimeoutMs) {
        this.awaited.delete(number);
        awaited.reject(new NotAcked("JetStream did not answer in time", true));
      } else if (awaited.tries === 1) this.publishAgain(number, awaited);
    }
  }

  /** What the client does not take any more, e.g. since the connection closes, is not repeated. */
  private publishAgain(number: string, awaited: Awaited): void {
    awaited.tries++;
    try {
      awaited.send();
    } catch (error) {
      this.awaited.delete(number);
      awaited.reject(new NotAcked((error as Error).message, true));
    }
  }

  private close(): void {
    clearInterval(this.overdue);
    for (const { reject } of this.awaited.values()) reject(new NotAcked("the connection was closed", true));
    this.awaited.clear();
  }
}
