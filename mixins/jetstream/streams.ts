import type { JetStreamManager, StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import { partsOf, type StreamDefinition, streamConfig, type WantedStream } from "./definitions.ts";

export { deadLetters, type StreamDefinition, streamNames } from "./definitions.ts";

/**
 * Makes streams and looks at them. The server counts the messages of a stream that is made again from 1, so a sequence of
 * the one before means another message there. An ack carries the names of stream and consumer and a sequence: one that
 * is on its way while the stream is made again would take a message out that nobody has handled. So a stream that is made
 * again bears a mark in its description, which the names of its consumers end in: acks for the one before find nobody.
 */

const otherSettings = 10058;
export const streamNotFound = 10059;

/** The code that the server's API gives its errors. */
export const errorCode = (error: unknown): number | undefined =>
  (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;

/** The mark of a stream that was made again; `undefined` of one that was not, as far as its maker knew. */
export function markOf({ config }: StreamInfo): string | undefined {
  return /^made again: ([a-z0-9]+)$/.exec(config.description ?? "")?.[1];
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
  const mark = again ? { description: `made again: ${Date.now().toString(36)}` } : {};
  await manager.streams.add({ ...wanted, ...mark }).catch((error: unknown) => {
    // Another node has made it, with another mark.
    if (errorCode(error) !== otherSettings) throw error;
  });
  return manager.streams.info(wanted.name);
}

/**
 * Makes the streams that are missing and brings the others to their definition. Many nodes may do it at once.
 * `wasThere`: whether a stream that is missing, by the server's name, is known to have been there.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  streams: readonly StreamDefinition[],
  wasThere: (stream: string) => Promise<boolean> = async () => false,
): Promise<void> {
  for (const part of streams.flatMap(partsOf)) {
    const wanted = streamConfig(part);
    const info = (await findStream(manager, wanted.name)) ?? (await makeAtStart(manager, wanted, wasThere));
    if (differs(wanted, info.config)) await manager.streams.update(wanted.name, wanted);
  }
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
