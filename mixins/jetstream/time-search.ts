import type { JetStreamManager, StoredMsg } from "nats";
import { outage } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";

/**
 * Finds messages of a stream by their time. JetStream gives messages ascending sequences and times that do not fall, so
 * a binary search over sequences finds a time with as many requests as the number of messages has bits. The leader
 * answers, so everything stored before the call is found. Everything fails with `unavailable` where JetStream cannot be
 * asked.
 */

/** Messages of a stream, by a filter of their subjects; names as on the server, with the namespace's prefix. */
export interface FilteredStream {
  readonly stream: string;
  readonly subject: string;
}

type Manager = Pick<JetStreamManager, "streams">;

/** JetStream's error code for a message that is not there. */
const messageNotFound = 10037;

function isMissing(error: unknown): boolean {
  const { code, api_error } = (error ?? {}) as { code?: string; api_error?: { err_code?: number } };
  return code === "404" || api_error?.err_code === messageNotFound;
}

/** The first message at or after a sequence; `undefined` where there is none. */
export async function nextMessage(
  manager: Manager,
  { stream, subject }: FilteredStream,
  sequence: number,
): Promise<StoredMsg | undefined> {
  // The client's types do not have it.
  const query = { seq: sequence, next_by_subj: subject };
  try {
    return await manager.streams.getMessage(stream, query);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw outage(error, { stream });
  }
}

/** The first and the last sequence of a stream, and the time of its first message, ms since 1970. */
export interface StreamSpan {
  readonly first: number;
  readonly last: number;
  /** `undefined` where it has no message. */
  readonly firstMs: number | undefined;
}

/** As the server has it at this moment. Fails: unavailable. */
export async function spanOf(manager: Manager, stream: string): Promise<StreamSpan> {
  try {
    const { state } = await manager.streams.info(stream);
    const { first_seq: first, last_seq: last, messages, first_ts } = state;
    // The server writes it as text, whatever the client's types say.
    return { first, last, firstMs: messages > 0 ? Date.parse(String(first_ts)) : undefined };
  } catch (error) {
    throw outage(error, { stream });
  }
}

/** The sequence before which all messages were stored earlier than `ms` since 1970. */
export async function sequenceAt(
  manager: Manager,
  from: FilteredStream,
  { first, last }: Pick<StreamSpan, "first" | "last">,
  ms: number,
): Promise<number> {
  // All messages before `low` are earlier, and none at or after `high` is.
  let low = first;
  let high = last + 1;
  for (let steps = 0; low < high && steps < limits.lookup.stepsToTime; steps++) {
    const middle = low + Math.floor((high - low) / 2);
    const message = await nextMessage(manager, from, middle);
    if (!message || message.time.getTime() >= ms) high = middle;
    else low = message.seq + 1;
  }
  return low;
}

/**
 * The first message from a sequence on that `isIt`, among the next `most` ones. `ended`: the stream has no further
 * message, so that it certainly has none.
 */
export async function firstWhere(
  manager: Manager,
  from: FilteredStream,
  sequence: number,
  { most, isIt }: { most: number; isIt: (message: StoredMsg) => boolean },
): Promise<{ found: StoredMsg | undefined; ended: boolean }> {
  for (let read = 0, next = sequence; read < most; read++) {
    const message = await nextMessage(manager, from, next);
    if (!message) return { found: undefined, ended: true };
    if (isIt(message)) return { found: message, ended: false };
    next = message.seq + 1;
  }
  return { found: undefined, ended: false };
}
