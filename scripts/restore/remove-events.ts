import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { NatsConnection } from "nats";
import { eventsName } from "../backup/streams.ts";
import { type EventSpan, eventsFrom } from "./events.ts";

/**
 * Takes the events that were stored at a time or later out of EVENTS: readers would read what was not replayed. Each is
 * written to the file first, as a line of JSON. Returns how many. A repeat finds what is left.
 */
export async function removeEventsSince(
  nats: NatsConnection,
  { span, from, since, file }: { span: EventSpan; from: number; since: Date; file: string },
): Promise<number> {
  const manager = await nats.jetstreamManager();
  const out = createWriteStream(file, { mode: 0o600, flags: "a" });
  const sequences: number[] = [];
  for await (const event of eventsFrom(nats, from, span.last)) {
    if (event.storedAt < since) continue;
    sequences.push(event.sequence);
    out.write(`${JSON.stringify(event)}\n`);
  }
  out.end();
  await finished(out);
  for (const sequence of sequences) await manager.streams.deleteMessage(eventsName(), sequence, false);
  return sequences.length;
}
