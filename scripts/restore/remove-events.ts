import { isUtf8 } from "node:buffer";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { NatsConnection } from "nats";
import { eventsName } from "../backup/streams.ts";
import { type EventSpan, messagesFrom } from "./events.ts";

/**
 * Takes the events that were stored at a time or later out of EVENTS: readers would read what was not replayed. Each is
 * written to the file first, as a line of JSON with every byte of it, whether it can be read or not. Returns how many. A
 * repeat finds what is left.
 */
export async function removeEventsSince(
  nats: NatsConnection,
  { span, from, since, file }: { span: EventSpan; from: number; since: Date; file: string },
): Promise<number> {
  const manager = await nats.jetstreamManager();
  const out = createWriteStream(file, { mode: 0o600, flags: "a" });
  const sequences: number[] = [];
  for await (const { sequence, storedAt, subject, data, signature } of messagesFrom(nats, eventsName(), from)) {
    if (sequence > span.last) break;
    if (storedAt < since) continue;
    sequences.push(sequence);
    const bytes = Buffer.from(data);
    const content = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString("base64") };
    out.write(`${JSON.stringify({ sequence, storedAt, subject, signature, ...content })}\n`);
  }
  out.end();
  await finished(out);
  for (const sequence of sequences) await manager.streams.deleteMessage(eventsName(), sequence, false);
  return sequences.length;
}
