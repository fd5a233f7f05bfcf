import { fieldsOf } from "../broker/unknown-values.ts";
import type { DurableEventName, DurableEvents, EventMessage } from "./contracts.ts";

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
 * The unchecked `data` of a durable event from a stream: for a channel's `parse`.
 * @throws Error where it is no durable event.
 */
export function eventDataOf(message: unknown): Readonly<Record<string, unknown>> {
  const data = fieldsOf(fieldsOf(message)?.data);
  if (!data) throw new Error("no durable event");
  return data;
}
