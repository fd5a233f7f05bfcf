import {
  ErrorCode,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type MsgHdrs,
  type NatsConnection,
  type PubAck,
} from "nats";
import { fail } from "../../broker/failure.ts";
import { isMessageFault } from "../../broker/outages.ts";
import { messageOf, shown } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { StreamDefinition } from "./definitions.ts";
import { NotAcked, Publisher, type PublisherObserver } from "./publisher.ts";
import type { Recovery } from "./recoveries.ts";

export interface PublishOptions {
  /** The business id: JetStream drops a repeat within its window of two minutes; consumers must do the rest. */
  msgId: string;
  requestId?: string | null;
}

export interface JetStreamPort {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  /**
   * Publishes JSON and waits for the server's ack; the message is then in the stream's file (synced to disk at the
   * server's sync interval). Tries again with the same message id. Fails: `unavailable`; where `mayHaveHappened`
   * (broker/failure.ts) says so the message may be in the stream all the same, so a repeat must carry the same id.
   * `messageTooLarge`, at once, where it can never pass. @throws NatsError where the subject is none.
   */
  publish(subject: string, payload: unknown, options: PublishOptions): Promise<PubAck>;
  /** The service's streams of the kind `log`, without the dead letters. */
  readonly logs: readonly StreamDefinition[];
  /**
   * Call it before publishing: then tells the creation time of the stream that acked, by which it is told from one that
   * is made in its place; "" where that is not certain.
   */
  whoAcks(): (ack: PubAck) => string;
  /** Messages this service holds in its channels, waiting and in flight. */
  held(): number;
  /** Adds what puts messages back into a stream that was made anew. Needs mysqlMixin. */
  recover(recovery: Recovery): void;
  /** Keeps in the database what all consumers of the service's logs have read, as reader `*`. Needs mysqlMixin. */
  trackAllConsumers(): void;
}

const encoder = new TextEncoder();

/** What a service publishes with, and what it knows of its connection. */
export function openPort(
  connection: NatsConnection,
  manager: JetStreamManager,
  observer: PublisherObserver,
): Pick<JetStreamPort, "connection" | "manager" | "client" | "publish"> {
  const client = connection.jetstream({ timeout: limits.jetstream.publishTimeoutMs });
  const publisher = new Publisher(connection, observer);
  return {
    connection,
    manager,
    client,
    async publish(subject, payload, { msgId, requestId }) {
      const body = encoder.encode(JSON.stringify(payload));
      const head = headers();
      head.set("Nats-Msg-Id", msgId);
      if (requestId) head.set("Request-Id", requestId);
      // An earlier attempt may have been stored, although this one is refused.
      let mayHaveHappened = false;
      for (let attempt = 1; ; attempt++) {
        try {
          return await publisher.publish(natsPrefix() + subject, body, head);
        } catch (error) {
          if (isTooLarge(error))
            throw fail("messageTooLarge", { subject, msgId, bytes: body.length, most: connection.info?.max_payload });
          // A retry cannot succeed: the subject or the message is invalid.
          if (isMessageFault(error)) throw error;
          mayHaveHappened ||= error instanceof NotAcked && error.mayHaveHappened;
          if (attempt >= limits.jetstream.publishAttempts || connection.isClosed())
            throw fail("unavailable", { subject, msgId, cause: messageOf(error), mayHaveHappened });
          await new Promise((resolve) => setTimeout(resolve, limits.jetstream.publishBackoffMs * attempt));
        }
      }
    },
  };
}

/** Copies a header. An invalid one, from a foreign publisher, must not keep its message out of the dead letters. */
function copyHeader(head: MsgHdrs, key: string, value: string): void {
  try {
    head.append(key, value);
  } catch (error) {
    head.append("Dead-Header", shown(messageOf(error), 100).replaceAll(/[\r\n]+/g, " "));
  }
}

/** The client refuses it at once: the message is larger than the server said it takes. */
function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === ErrorCode.MaxPayloadExceeded;
}

/**
 * @throws Error where the server takes less than this system sends: only the largest batches would fail, under load.
 */
export function requireMaxPayload(connection: NatsConnection): void {
  const { max_payload: most = 0 } = connection.info ?? {};
  if (most >= limits.bus.maxPayloadBytes) return;
  throw new Error(
    `nats-server takes messages of ${most} bytes: max_payload must be ${limits.bus.maxPayloadBytes} or more`,
  );
}

/**
 * Puts a copy of a message into the dead letters, with where it came from and why; resolves once it is safe there. One
 * that is too large with the headers that the copy has beside its own (nothing of this system is) is cut, and says so: it
 * can be looked at, and not replayed.
 */
export function deadLetterWriter(client: JetStreamClient) {
  return async (channel: string, message: JsMsg, reason: string) => {
    const head = headers();
    for (const [key, values] of message.headers ?? []) for (const value of values) copyHeader(head, key, value);
    head.delete("Nats-Msg-Id");
    head.set("Dead-Reason", reason.replaceAll(/[\r\n]+/g, " ").slice(0, 500));
    head.set("Dead-Subject", message.subject);
    head.set("Dead-Stream", message.info.stream);
    head.set("Dead-Sequence", String(message.seq));
    // The consumer's name tells streams of the same name apart (streams.ts).
    const msgID = `dead:${message.info.stream}:${message.info.consumer}:${message.seq}`;
    const subject = `${natsPrefix()}dead.${channel}`;
    await client.publish(subject, message.data, { msgID, headers: head }).catch((error: unknown) => {
      if (!isTooLarge(error)) throw error;
      const cut = headers();
      for (const [key, values] of head) if (key.startsWith("Dead-")) for (const value of values) cut.append(key, value);
      cut.set("Dead-Cut", String(message.data.length));
      const data = message.data.subarray(0, limits.jetstream.deadLetterCutBytes);
      return client.publish(subject, data, { msgID, headers: cut });
    });
  };
}
