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
import { type MessageSplit, messageOfItem } from "./split.ts";

export interface PublishOptions {
  /**
   * The business id. JetStream drops a repeat within its window of two minutes; consumers must recognize later repeats.
   */
  msgId: string;
  requestId?: string | null;
}

export interface JetStreamPort {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  /**
   * Publishes JSON and waits for the server's ack: then the message is in the stream's file, which is synced to disk at
   * the server's interval. Retries with the same message id. Fails: `unavailable`; if `mayHaveHappened`
   * (broker/failure.ts) is true, the message may be stored, and a repeat must have the same id. `messageTooLarge`, at
   * once. @throws NatsError for an invalid subject.
   */
  publish(subject: string, payload: unknown, options: PublishOptions): Promise<PubAck>;
  /** The same for a payload that is JSON already. */
  publishText(subject: string, text: string, options: PublishOptions): Promise<PubAck>;
  /** The service's streams of kind `log`, without the dead letters. */
  readonly logs: readonly StreamDefinition[];
  /**
   * Call it before publishing. The result gives the creation time of the stream that acked, which tells it from a
   * stream made in its place; "" where that is not certain.
   */
  whoAcks(): (ack: PubAck) => string;
  /** Messages, or their items, that this service holds in its channels, waiting and in flight. */
  held(): number;
  /** Adds a recovery, which restores messages of a stream that was made again. Needs mysqlMixin. */
  recover(recovery: Recovery): void;
  /** Stores in the database how far all consumers of the service's logs have read, as reader `*`. Needs mysqlMixin. */
  trackAllConsumers(): void;
}

const encoder = new TextEncoder();

/** The service's port to JetStream, without the parts that need the maintenance. */
export function openPort(
  connection: NatsConnection,
  manager: JetStreamManager,
  observer: PublisherObserver,
  inboxPrefix: string | undefined,
): Pick<JetStreamPort, "connection" | "manager" | "client" | "publish" | "publishText"> {
  const client = connection.jetstream({ timeout: limits.jetstream.publishTimeoutMs });
  const publisher = new Publisher(connection, observer, inboxPrefix);
  const publishText = async (subject: string, text: string, { msgId, requestId }: PublishOptions): Promise<PubAck> => {
    const body = encoder.encode(text);
    const head = headers();
    head.set("Nats-Msg-Id", msgId);
    if (requestId) head.set("Request-Id", requestId);
    // An earlier attempt may have been stored, although this one was refused.
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
  };
  const publish = async (subject: string, payload: unknown, options: PublishOptions) =>
    publishText(subject, JSON.stringify(payload), options);
  return { connection, manager, client, publish, publishText };
}

/** Copies a header. An invalid header of a foreign publisher must not keep its message out of the dead letters. */
function copyHeader(head: MsgHdrs, key: string, value: string): void {
  try {
    head.append(key, value);
  } catch (error) {
    head.append("Dead-Header", shown(messageOf(error), 100).replaceAll(/[\r\n]+/g, " "));
  }
}

/** The client refuses it at once: the message is larger than the server's `max_payload`. */
function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === ErrorCode.MaxPayloadExceeded;
}

/**
 * @throws Error where the server's `max_payload` is too small. Otherwise only the largest batches would fail, under
 * load.
 */
export function requireMaxPayload(connection: NatsConnection): void {
  const { max_payload: most = 0 } = connection.info ?? {};
  if (most >= limits.bus.maxPayloadBytes) return;
  throw new Error(
    `nats-server accepts messages of ${most} bytes: max_payload must be ${limits.bus.maxPayloadBytes} or more`,
  );
}

/**
 * Copies a message, or an item of it as a message of its own, to the dead letters, with its origin and the reason.
 * Resolves once the copy is confirmed. What is too large together with these headers is cut and marked as cut: it can
 * be read, but not replayed. Ovation itself writes no such message.
 */
export function deadLetterWriter(client: JetStreamClient, split?: MessageSplit) {
  return async (channel: string, message: JsMsg, index: number | undefined, reason: string) => {
    const head = headers();
    for (const [key, values] of message.headers ?? []) for (const value of values) copyHeader(head, key, value);
    head.delete("Nats-Msg-Id");
    head.set("Dead-Reason", reason.replaceAll(/[\r\n]+/g, " ").slice(0, 500));
    head.set("Dead-Subject", message.subject);
    head.set("Dead-Stream", message.info.stream);
    head.set("Dead-Sequence", String(message.seq));
    if (index !== undefined) head.set("Dead-Item", String(index));
    // The consumer's name tells streams of the same name apart (streams.ts).
    const place = `${message.info.stream}:${message.info.consumer}:${message.seq}`;
    const msgID = index === undefined ? `dead:${place}` : `dead:${place}:${index}`;
    const subject = `${natsPrefix()}dead.${channel}`;
    const data = messageOfItem(message, split, index);
    await client.publish(subject, data, { msgID, headers: head }).catch((error: unknown) => {
      if (!isTooLarge(error)) throw error;
      const cut = headers();
      for (const [key, values] of head) if (key.startsWith("Dead-")) for (const value of values) cut.append(key, value);
      cut.set("Dead-Cut", String(data.length));
      return client.publish(subject, data.subarray(0, limits.jetstream.deadLetterCutBytes), { msgID, headers: cut });
    });
  };
}
