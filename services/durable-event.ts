import { z } from "zod";
import type { DurableEventName, DurableEvents, EventMessage } from "./contracts.ts";
import { parseMessage } from "./safe-parse.ts";

/**
 * A durable event as it stands in stream EVENTS. `id` is derived from what happened (e.g. `room.opened:17`), so
 * that a repeat is the same event. Only what has no business id, and is written once with its row, may bring a random key.
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

/**
 * A channel's `parse` for durable events with such data: the data, checked.
 * @throws Error naming the field that does not fit.
 */
export function eventData<Data extends z.ZodType>(data: Data): (message: unknown) => z.output<Data> {
  const event = z.object({ data });
  return (message) => (parseMessage(event, message) as { data: z.output<Data> }).data;
}
