import { DiscardPolicy, type JetStreamManager, type StreamConfig, type StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { partsOf, type StreamDefinition, streamConfig, type WantedStream } from "./definitions.ts";

export { deadLetters, type StreamDefinition, streamNames } from "./definitions.ts";

/**
 * Creates and reads streams. The server counts the messages of a stream that is made again from 1, so the same sequence
 * names another message. An ack has the names of stream and consumer and a sequence: an ack that is on its way while
 * the stream is made again would remove a message that nobody has handled. So a stream that is made again has a mark in
 * its description, and the names of its consumers end with the mark: acks for the lost stream reach no consumer. A
 * queue that lost messages, by a purge or because its store went back in time, gets a mark as well.
 */

const otherSettings = 10058;
export const streamNotFound = 10059;

/** The error code of the server's API. */
export const errorCode = (error: unknown): number | undefined =>
  (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;

const description = /^(made again|messages lost): ([a-z0-9]+)$/;
/** The later mark is the greater string. */
const newMark = () => Date.now().toString(36);

/** The mark of a stream that was made again or has lost messages, else `undefined`. */
export function markOf({ config }: Pick<StreamInfo, "config">): string | undefined {
  return description.exec(config.description ?? "")?.[2];
}

/** The mark of the last loss within this stream; "" where there was none. */
export function lossOf({ config }: Pick<StreamInfo, "config">): string {
  const [, why, mark = ""] = description.exec(config.description ?? "") ?? [];
  return why === "messages lost" ? mark : "";
}

/** Marks a stream that has lost messages, unless another node has marked it since it was checked. */
export async function markLoss(manager: JetStreamManager, seen: StreamInfo): Promise<void> {
  const now = await findStream(manager, seen.config.name);
  if (now?.created !== seen.created || markOf(now) !== markOf(seen)) return;
  await manager.streams.update(seen.config.name, { description: `messages lost: ${newMark()}` });
}

/** `undefined` where it does not exist. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return manager.streams.info(name).catch((error: unknown) => {
    if (errorCode(error) === streamNotFound) return undefined;
    throw error;
  });
}

/**
 * Creates a missing stream. If many nodes do it at once, one of them sets the mark. `again`: the stream is known to
 * have existed.
 */
export async function makeStream(manager: JetStreamManager, wanted: WantedStream, again: boolean): Promise<StreamInfo> {
  const mark = again ? { description: `made again: ${newMark()}` } : {};
  await manager.streams.add({ ...wanted, ...mark }).catch((error: unknown) => {
    // Another node has made it, with another mark.
    if (errorCode(error) !== otherSettings) return explainNoRoom(manager, wanted, error);
  });
  return manager.streams.info(wanted.name);
}

export interface EnsureParts {
  /** Whether a missing stream, by the server's name, is known to have existed. */
  readonly wasThere?: (stream: string) => Promise<boolean>;
  readonly log?: Log;
}

/**
 * Creates the missing streams and updates the others to their definition. Many nodes may do it at once. Where a stream
 * that refuses at its bound has too many messages for a lower bound, it keeps the old one with a warning: the next start
 * tries again. Returns the lost streams: missing, and known to have existed. Rejects where the server has no room for a
 * stream's bytes, with the stream and how many are missing.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  streams: readonly StreamDefinition[],
  { wasThere = async () => false, log }: EnsureParts = {},
): Promise<string[]> {
  const gone: string[] = [];
  for (const part of streams.flatMap(partsOf)) {
    const wanted = streamConfig(part);
    const info =
      (await findStream(manager, wanted.name)) ??
      (await makeAtStart(manager, wanted, async (stream) => {
        const known = await wasThere(stream);
        if (known) gone.push(stream);
        return known;
      }));
    const settings = wanted.discard === DiscardPolicy.New ? withoutLoss(wanted, info, log) : wanted;
    if (differs(settings, info.config))
      await manager.streams
        .update(wanted.name, settings)
        .catch((error) => explainNoRoom(manager, wanted, error, info.config.max_bytes));
  }
  return gone;
}

/**
 * The server enforces a lower bound by deleting the oldest messages, also where the stream refuses new ones at its bound.
 * So a lower bound is set only where at most half of it is used, since more messages may arrive until it is set.
 */
function withoutLoss(wanted: WantedStream, { config, state }: StreamInfo, log: Log | undefined): WantedStream {
  const used = { max_msgs: state.messages, max_bytes: state.bytes };
  const kept: Partial<StreamConfig> = {};
  for (const bound of ["max_msgs", "max_bytes"] as const) {
    const [to, from] = [wanted[bound] ?? -1, config[bound]];
    const isTighter = to > 0 && (from <= 0 || to < from);
    if (!isTighter || used[bound] <= to / 2) continue;
    kept[bound] = from;
    const about = { stream: wanted.name, bound, from, to, used: used[bound] };
    log?.warn(about, "a stream keeps its bound, since a lower one would delete messages: the next start tries again");
  }
  return { ...wanted, ...kept };
}

async function makeAtStart(
  manager: JetStreamManager,
  wanted: WantedStream,
  wasThere: (stream: string) => Promise<boolean>,
): Promise<StreamInfo> {
  const again = await wasThere(wanted.name);
  if (again) await new Promise((resolve) => setTimeout(resolve, limits.jetstream.makeAgainAfterMs));
  return (await findStream(manager, wanted.name)) ?? makeStream(manager, wanted, again);
}

/** Error codes of the server where it cannot reserve a stream's bytes. */
const noRoomToReserve: ReadonlySet<number | undefined> = new Set([10_023, 10_047]);

/**
 * Rejects with the error; where the server has no room to reserve the stream's bytes, with one that says how many are
 * missing. `reserved`: what the stream has reserved so far.
 */
async function explainNoRoom(
  manager: JetStreamManager,
  { name, max_bytes = 0, num_replicas = 1 }: WantedStream,
  error: unknown,
  reserved = 0,
): Promise<never> {
  if (!noRoomToReserve.has(errorCode(error))) throw error;
  const copies = Math.max(1, num_replicas);
  const more = (max_bytes - Math.max(0, reserved)) * copies;
  const room = await roomFor(manager, more).catch(
    (cause: Error) => `how much is reserved is not known: ${cause.message}`,
  );
  throw new Error(`stream ${name} cannot reserve ${more} bytes: ${room}`, { cause: error });
}

/** For people: what the account has reserved, and what is missing for so many bytes more. */
async function roomFor(manager: JetStreamManager, more: number): Promise<string> {
  let all = 0;
  for await (const { config } of manager.streams.list())
    all += Math.max(0, config.max_bytes) * Math.max(1, config.num_replicas);
  const { max_storage: bound } = (await manager.getAccountInfo()).limits;
  const missing =
    bound > 0
      ? `the account may store ${bound} bytes, so that ${all + more - bound} are missing`
      : `max_file_store of nats-server must be ${all + more} or more, and its disk must have that room`;
  return `the streams of this account have reserved ${all}; ${missing}`;
}

function differs(wanted: object, there: object): boolean {
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify((there as Record<string, unknown>)[key]),
  );
}
