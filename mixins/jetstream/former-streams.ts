import type { JetStreamManager, StoredMsg } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { type StreamDefinition, streamNames } from "./streams.ts";

/**
 * Streams that another number of partitions, that of another release, has left behind. Nobody would pull them, and where
 * they have subjects of ours, ours cannot be made: they are set aside, and what waits in them is published anew.
 */

/** The code that the server's API gives its errors. */
export const errorCode = (error: unknown): number | undefined =>
  (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;

const streamNotFound = 10059;

/** `undefined` where another node was faster and it is gone. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    // A look and a deletion have different codes for a message that is not there, and the same text.
    if (errorCode(error) === streamNotFound || (error as Error).message === "no message found") return undefined;
    throw error;
  }
}

/**
 * Takes their subjects away from the streams of another number of partitions: from then on nothing is published to them,
 * and to nobody else until the new ones are there. Their names.
 */
export async function setFormerAside(manager: JetStreamManager, stream: StreamDefinition): Promise<string[]> {
  const ours = new Set(streamNames(stream));
  const pattern = new RegExp(`^${natsPrefix()}${stream.name}(-\\d+)?$`);
  const found: string[] = [];
  for await (const name of manager.streams.names()) if (pattern.test(name) && !ours.has(name)) found.push(name);
  for (const name of found) {
    const info = await unlessGone(manager.streams.info(name));
    if (info) await unlessGone(manager.streams.update(name, { ...info.config, subjects: [`${name}.aside`] }));
  }
  return found;
}

/**
 * Publishes what waits in a stream that was set aside under its own id, and removes the stream once nothing is left. A
 * message that is moved twice, by two nodes, is dropped by its id, or met by what makes its handler idempotent.
 */
export async function emptyFormer(
  manager: JetStreamManager,
  name: string,
  stream: StreamDefinition,
  say: (text: string) => void,
): Promise<void> {
  for (let moved = 0; ; ) {
    const state = (await unlessGone(manager.streams.info(name)))?.state;
    if (!state) return;
    if (state.messages === 0) {
      await unlessGone(manager.streams.delete(name));
      say(`stream ${name} of another number of partitions is removed, ${moved} messages of it were moved`);
      return;
    }
    const size = limits.jetstream.movedAtOnce;
    const places = Array.from({ length: size }, (_, n) => state.first_seq + n).filter((seq) => seq <= state.last_seq);
    await Promise.all(places.map((seq) => move(manager, name, seq, stream)));
    moved += places.length;
    say(`moving what waits in stream ${name}: ${Math.max(0, state.messages - size)} messages are left`);
  }
}

async function move(manager: JetStreamManager, name: string, seq: number, stream: StreamDefinition): Promise<void> {
  const message = await unlessGone(manager.streams.getMessage(name, { seq }));
  if (!message) return;
  await manager.jetstream().publish(subjectOf(message, stream), message.data, { headers: message.header });
  await unlessGone(manager.streams.deleteMessage(name, seq, false));
}

/** A message of partition n belongs into n modulo the number that there is now, as its key's remainder does. */
function subjectOf({ subject }: StoredMsg, { partitions = 0 }: StreamDefinition): string {
  return partitions === 0 ? subject : subject.replace(/\d+$/, (n) => String(Number(n) % partitions));
}
