import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { isUnavailable } from "../broker/failure.ts";
import type { Carried } from "../broker/tracing/trace-context.ts";
import { limits } from "../config/limits.ts";
import type { Missed } from "../mixins/jetstream/catch-up.ts";
import { retryDelayMs } from "../mixins/jetstream/message.ts";
import type { ChannelDefinition, ChannelMessage } from "../mixins/jetstream.mixin.ts";
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
  /** The traces of what is in it. */
  readonly traces: readonly Carried[];
}

/** The books from which events are told again. */
export interface Books {
  /** Events that happened before are not needed. */
  readonly since: Date;
  /** Reads a page, and does so again, later each time, until it succeeds; rejects where the service stops. */
  read<T>(page: () => Promise<T>): Promise<T>;
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
   * The events since a time, told again from the books: for those that EVENTS dropped, or lost, before they were read.
   * They go to the handler one by one, with others that it has had. An event that meets an outage is repeated for as long
   * as it takes; one that the handler refuses otherwise is logged and left out.
   */
  readonly fromBooks?: (this: This, books: Books) => AsyncIterable<DurableEvents[N]>;
}

/** `fromBooks` of consumers that may miss an event: what it is about is checked regularly anyway. */
export async function* checkedAnyway(): AsyncGenerator<never> {}

function catchingUp<N extends DurableEventName, This>(
  event: N,
  fromBooks: (this: This, books: Books) => AsyncIterable<DurableEvents[N]>,
  handler: (this: This, event: ReceivedEvent<N>) => Promise<void>,
) {
  return async function (this: This, missed: Missed): Promise<void> {
    const { since, log } = missed;
    const read: Books["read"] = (page) =>
      repeat(page, missed, (failure) =>
        log.error({ event, ...failure }, "a catch-up cannot read the books: tried again"),
      );
    for await (const data of fromBooks.call(this, { since, read })) {
      const handle = async () => {
        try {
          await handler.call(this, { data, requestId: undefined, traces: [] });
        } catch (err) {
          if (isUnavailable(err)) throw err;
          const excerpt = JSON.stringify(data).slice(0, limits.log.causeChars);
          log.error({ event, err, excerpt }, "an event from the books could not be handled: it is left out");
        }
      };
      await repeat(handle, missed, (failure) =>
        log.warn({ event, ...failure }, "a dependency is not reachable: a catch-up tries its event again"),
      );
    }
  };
}

/** Does some work until it succeeds, later each time. Rejects where the service stops. */
async function repeat<T>(
  work: () => Promise<T>,
  { signal }: Missed,
  failed: (failure: { err: unknown; tries: number }) => void,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (err) {
      failed({ err, tries });
    }
    await pause(retryDelayMs(tries), undefined, { signal });
  }
}

/** Headers are read on access, since most consumers read none. */
function eventOf<N extends DurableEventName>(message: ChannelMessage): ReceivedEvent<N> {
  return {
    data: message.data as DurableEvents[N],
    get requestId() {
      return message.requestId;
    },
    get traces() {
      return message.traces;
    },
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
      for (const message of messages) await handler.call(this, eventOf<N>(message));
    },
    ...(fromBooks && { missed: catchingUp(name, fromBooks, handler) }),
  };
}
