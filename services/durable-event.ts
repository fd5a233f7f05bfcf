import type { DurableEventName, DurableEvents, EventMessage } from "./contracts.ts";

/**
 * A durable event as it stands in stream EVENTS. `id` is derived from what happened (e.g. `room.opened:17`), never
 * random: a repeat is the same event.
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
