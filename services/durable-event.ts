import { z } from "zod";
import type { ChannelDefinition } from "../mixins/jetstream.mixin.ts";
import { type DurableEventName, type DurableEvents, durableEvents, type EventMessage } from "./contracts.ts";
import { parseMessage } from "./safe-parse.ts";
import { eventStream } from "./streams.ts";

/**
 * A durable event as stored in stream EVENTS. `id` is derived from what happened (e.g. `room.opened:17`), so a repeat
 * is the same event. Only an event without a business id, which is written once together with its row, may use a random
 * key.
 */
export function durableEvent<N extends DurableEventName>(
  name: N,
  key: string,
  data: DurableEvents[N],
  time = new Date(),
): { subject: string; msgId: string; payload: EventMessage<N> } {
  const id = `${name}:${key}`;
  return { subject: `event.${name}`, msgId: id, payload: { id, name, time: time.toISOString(), data } };
}

/** An event as its consumers get it. */
export interface ReceivedEvent<N extends DurableEventName> {
  readonly data: DurableEvents[N];
  /** The id of the HTTP request that caused it, as in the logs. */
  readonly requestId: string | undefined;
}

interface ConsumerOptions<N extends DurableEventName, This> {
  /** How many events are handled at the same time; 1 where left out. They are started in the order of the stream. */
  readonly inFlight?: number;
  /**
   * One node at a time consumes, so events are started in their order across all nodes. Needs redisLockMixin. Without
   * it the nodes share the events.
   */
  readonly inOrder?: true;
  /**
   * Reads the events since a time from the books, for events that EVENTS dropped or lost before they were read. The
   * handler gets them, together with some that it has had already.
   */
  readonly fromBooks?: (this: This, since: Date) => AsyncIterable<DurableEvents[N]>;
}

function catchingUp<N extends DurableEventName, This>(
  fromBooks: (this: This, since: Date) => AsyncIterable<DurableEvents[N]>,
  handler: (this: This, event: ReceivedEvent<N>) => Promise<void>,
) {
  return async function (this: This, since: Date): Promise<void> {
    for await (const data of fromBooks.call(this, since)) await handler.call(this, { data, requestId: undefined });
  };
}

/**
 * A durable consumer of an event, for the `channels` of a service. All nodes of the service are one consumer. The event
 * is acked when `handler` resolves. Delivery is at least once: the handler recognizes a repeat by the business ids in
 * the event. If it rejects with `unavailable`, the event is delivered again without limit; after other errors up to
 * `limits.jetstream.maxAttempts` times, and then it becomes a dead letter. An event that does not match its schema
 * becomes a dead letter at once. A consumer that fails or waits delays itself alone.
 */
export function onEvent<N extends DurableEventName, This>(
  name: N,
  handler: (this: This, event: ReceivedEvent<N>) => Promise<void>,
  { inFlight = 1, inOrder, fromBooks }: ConsumerOptions<N, This> = {},
): Omit<ChannelDefinition<This>, "durable"> {
  const data: z.ZodType<DurableEvents[N]> = durableEvents[name] as never;
  const message = z.object({ data });
  return {
    stream: eventStream,
    subject: `event.${name}`,
    batch: 1,
    batchesInFlight: inFlight,
    ...(inOrder ? { exclusive: true } : {}),
    parse: (received) => (parseMessage(message, received) as { data: DurableEvents[N] }).data,
    async handler(messages) {
      for (const { data, requestId } of messages)
        await handler.call(this, { data: data as DurableEvents[N], requestId });
    },
    ...(fromBooks && { missed: catchingUp(fromBooks, handler) }),
  };
}
