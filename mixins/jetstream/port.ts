import {
  ErrorCode,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  type PubAck,
} from "nats";
import { fail } from "../../broker/failure.ts";
import { isMessageFault } from "../../broker/outages.ts";
import { type Carried, carriedText } from "../../broker/tracing/trace-context.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { StreamDefinition } from "./definitions.ts";
import { tracesHeader } from "./message.ts";
import { NotAcked, Publisher, type PublisherObserver } from "./publisher.ts";
import type { Recovery } from "./recoveries.ts";
import { signatureHeader } from "./signatures.ts";

export interface PublishOptions {
  /**
   * The business id. JetStream drops a repeat within its window of two minutes; consumers must recognize later repeats.
   */
  msgId: string;
  requestId?: string | null;
  /** The traces of what is in the message, as headers of it: not signed, and nothing depends on them. */
  traces?: readonly Carried[] | undefined;
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

/** The value of `signatureHeader` for a message that is signed so. `subject`: without the namespace's prefix. */
export type SignatureOf = (subject: string, text: string) => string | undefined;

const encoder = new TextEncoder();

/** The service's port to JetStream, without the parts that need the maintenance. */
export function openPort(
  connection: NatsConnection,
  manager: JetStreamManager,
  observer: PublisherObserver,
  inboxPrefix: string | undefined,
  signatureOf: SignatureOf = () => undefined,
): Pick<JetStreamPort, "connection" | "manager" | "client" | "publish" | "publishText"> {
  const client = connection.jetstream({ timeout: limits.jetstream.publishTimeoutMs });
  const publisher = new Publisher(connection, observer, inboxPrefix);
  const publishText = async (
    subject: string,
    text: string,
    { msgId, requestId, traces }: PublishOptions,
  ): Promise<PubAck> => {
    const body = encoder.encode(text);
    const head = headers();
    head.set("Nats-Msg-Id", msgId);
    if (requestId) head.set("Request-Id", requestId);
    const signature = signatureOf(subject, text);
    if (signature !== undefined) head.set(signatureHeader, signature);
    for (const one of traces ?? []) head.append(tracesHeader, carriedText(one));
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

/** The client refuses it at once: the message is larger than the server's `max_payload`. */
export function isTooLarge(error: unknown): boolean {
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
