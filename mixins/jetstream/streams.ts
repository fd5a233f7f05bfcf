import type { JetStreamManager, StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import { partsOf, type StreamDefinition, streamConfig, type WantedStream } from "./definitions.ts";

export { deadLetters, type StreamDefinition, streamNames } from "./definitions.ts";

/**
 * Makes streams and looks at them. The server counts the messages of a stream that is made again from 1, so a sequence of
 * the one before means another message there. An ack carries the names of stream and consumer and a sequence: one that
 * is on its way while the stream is made again would take a message out that nobody has handled. So a stream that is made
 * again bears a mark in its description, which the names of its consumers end in: acks for the one before find nobody.
 * A queue that has lost messages, by a purge or because its store went back in time, gets a mark as well.
 */

const otherSettings = 10058;
export const streamNotFound = 10059;

/** The code that the server's API gives its errors. */
export const errorCode = (error: unknown): number | undefined =>
  (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;

const description = /^(made again|messages lost): ([a-z0-9]+)$/;
/** The later mark is the greater string. */
const newMark = () => Date.now().toString(36);

/** The mark of a stream that was made again or has lost messages; `undefined` of any other, as far as anybody knew. */
export function markOf({ config }: Pick<StreamInfo, "config">): string | undefined {
  return description.exec(config.description ?? "")?.[2];
}

/** The mark of the last loss within this stream; "" where there was none. */
export function lossOf({ config }: Pick<StreamInfo, "config">): string {
  const [, why, mark = ""] = description.exec(config.description ?? "") ?? [];
  return why === "messages lost" ? mark : "";
}

/** Marks a stream that has lost messages, unless another node has done so since it was looked at. */
export async function markLoss(manager: JetStreamManager, seen: StreamInfo): Promise<void> {
  const now = await findStream(manager, seen.config.name);
  if (now?.created !== seen.created || markOf(now) !== markOf(seen)) return;
  await manager.streams.update(seen.config.name, { description: `messages lost: ${newMark()}` });
}

/** `undefined` where it is not there. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return manager.streams.info(name).catch((error: unknown) => {
    if (errorCode(error) === streamNotFound) return undefined;
    throw error;
  });
}

/**
 * Makes a stream that is not there. Of many nodes that do it at once one decides on the mark. `again`: it is known to
 * have been there before.
 */
export async function makeStream(manager: JetStreamManager, wanted: WantedStream, again: boolean): Promise<StreamInfo> {
  const mark = again ? { description: `made again: ${newMark()}` } : {};
  await manager.streams.add({ ...wanted, ...mark }).catch((error: unknown) => {
    // Another node has made it, with another mark.
    if (errorCode(error) !== otherSettings) throw error;
  });
  return manager.streams.info(wanted.name);
}

/**
 * Makes the streams that are missing and brings the others to their definition. Many nodes may do it at once.
 * `wasThere`: whether a stream that is missing, by the server's name, is known to have been there. Returns those that
 * were missing although they had been there.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  streams: readonly StreamDefinition[],
  wasThere: (stream: string) => Promise<boolean> = async () => false,
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
    if (differs(wanted, info.config)) await manager.streams.update(wanted.name, wanted);
  }
  return gone;
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

function differs(wanted: object, there: object): boolean {
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify((there as Record<string, unknown>)[key]),
  );
}
