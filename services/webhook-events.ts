import { type DurableEventName, durableEvents } from "./contracts.ts";
import { sealedEvents } from "./sealed-event.ts";

const internal: ReadonlySet<string> = new Set(Object.values(sealedEvents));

/** The events that a webhook may have: all of docs/events.md but the seals of the books. */
export const webhookEventNames: readonly DurableEventName[] = (Object.keys(durableEvents) as DurableEventName[]).filter(
  (name) => !internal.has(name),
);
