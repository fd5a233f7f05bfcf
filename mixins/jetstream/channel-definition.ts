import type { Gathering } from "./batch-timer.ts";
import type { Missed } from "./catch-up.ts";
import type { StreamDefinition } from "./definitions.ts";
import type { ChannelMessage } from "./message.ts";
import type { MessageSignatures } from "./signatures.ts";
import type { MessageSplit } from "./split.ts";

/**
 * A durable pull consumer, shared by all nodes that have the same `durable`. A stream with partitions has a consumer
 * for each of them, which one node at a time pulls: their messages keep their order although many nodes share the
 * channel.
 */
export interface ChannelDefinition<This = unknown> {
  readonly stream: StreamDefinition;
  /**
   * The filter, without the namespace's prefix; may end in `*` or `>`. Without it the consumer reads the whole stream,
   * which costs less.
   */
  readonly subject?: string;
  readonly durable: string;
  /**
   * One node at a time pulls, so that messages keep their order. Only for streams without partitions: partitions always
   * have it.
   */
  readonly exclusive?: true;
  /** The most messages, or items, of one call of the handler. */
  readonly batch: number;
  readonly batchesInFlight: number;
  /**
   * While messages arrive one after the other, a batch that is not full waits for further ones until this time after
   * the start of the one before it, since a message costs more in a small batch. After a pause the first message is
   * handled at once. By default no batch waits.
   */
  readonly gather?: Gathering;
  /**
   * The most messages, or items, that this node holds, waiting and in work; running pulls may bring as many again.
   * Where messages are split and suddenly hold more items, a pull of each partition may bring
   * `limits.jetstream.splitPullMessages` such messages. The default is enough for the batches in flight and one more.
   */
  readonly heldMessages?: number;
  /**
   * For messages that hold many items. What this interface says of messages then applies to items: each is parsed,
   * ordered by its key, handled, retried and made a dead letter by itself. A message is acked once all its items are
   * handled or dead letters. Until then it may be delivered again, with items that are handled already.
   */
  readonly split?: MessageSplit;
  /**
   * Of messages that are signed: gives the signatures, once at the start. A message that is not genuine becomes a dead
   * letter at once, as a whole and marked as forged; nothing of it is parsed, and `dead` does not get it.
   */
  signatures?(this: This): MessageSignatures;
  /**
   * A message is not parsed: `parse`, `key` and the handler get its bytes. For a consumer that does not need most of its
   * messages. Not with `split`.
   */
  readonly raw?: true;
  /** Checks a received message. If it throws, the message becomes a dead letter at once. */
  readonly parse?: (data: unknown) => unknown;
  /** Messages of one key are handled in the order of the stream, and never in two batches at once. */
  readonly key?: (data: never) => string;
  /**
   * Handles a batch. Every message of it is acked once this resolves. If it rejects, the same messages are delivered
   * again, so it must be idempotent. After a rejection with `unavailable` they are retried without limit, with growing
   * pauses. After another error each key is tried alone, and the failing message becomes a dead letter in the end; at
   * once where the error is `Unreadable`. With `SomeNotHandled` it names the messages that it did not handle, each with
   * its error: that is of their keys alone, and the messages of the others are acked.
   */
  handler(this: This, messages: ChannelMessage[]): Promise<void>;
  /**
   * Of a consumer of a log: handles again what the service's books say has happened since a time. Called where the log
   * has lost messages that the consumer may not have read: dropped for their bytes or age, or gone with the stream. On
   * one node at a time, whichever it is. Where it rejects it is called again.
   */
  missed?(this: This, missed: Missed): Promise<void>;
  /**
   * Gets the parsed data of each message, or item, that became a dead letter, after its copy is confirmed and before it
   * is acked. So it may get one again. `storedAtMs`: of its message. Where it rejects with `unavailable` the message
   * is delivered again, and comes here again. Any other error is logged.
   */
  dead?(this: This, data: unknown, storedAtMs: number): void | Promise<void>;
}

/** See `Channel.partitions`. */
export function partitionsOfChannel({ stream, exclusive }: Pick<ChannelDefinition, "stream" | "exclusive">): number {
  return stream.partitions ?? (exclusive ? 1 : 0);
}
