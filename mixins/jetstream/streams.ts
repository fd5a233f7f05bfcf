import type { JetStreamManager, StreamInfo } from "nats";

export { deadLetters, type StreamDefinition, streamNames } from "./definitions.ts";

/**
 * Reads streams. The server counts the messages of a stream that is made again from 1, so the same sequence names
 * another message. An ack has the names of stream and consumer and a sequence: an ack that is on its way while the
 * stream is made again would remove a message that nobody has handled. So a stream that is made again has a mark in its
 * description, and the names of its consumers have another ending: acks for the lost stream reach no consumer. A queue
 * that lost messages, by a purge or because its store went back in time, gets a mark as well.
 *
 * The ending is the mark for a queue, and for a log the number of the log among those of its name, by the service's
 * database: several services read a log, and a login may pull and ack under the names that its permissions list.
 */

export const streamNotFound = 10059;

/** The error code of the server's API. */
export const errorCode = (error: unknown): number | undefined =>
  (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;

const description = /^(made again|messages lost): ([a-z0-9]+)$/;
/** The mark of a stream that was made again or has lost messages, else `undefined`. */
export function markOf({ config }: Pick<StreamInfo, "config">): string | undefined {
  return description.exec(config.description ?? "")?.[2];
}

/** The mark of the last loss within this stream; "" where there was none. */
export function lossOf({ config }: Pick<StreamInfo, "config">): string {
  const [, why, mark = ""] = description.exec(config.description ?? "") ?? [];
  return why === "messages lost" ? mark : "";
}

/** A stream, told from another of its name and from itself before a loss. */
export interface StreamIdentity {
  /** Its creation time, as the server writes it. */
  readonly created: string;
  readonly mark?: string | undefined;
}

export function identityOf(info: StreamInfo): StreamIdentity {
  const mark = markOf(info);
  return { created: info.created, ...(mark === undefined ? {} : { mark }) };
}

export function isSameStream(one: StreamIdentity, other: StreamIdentity): boolean {
  return one.created === other.created && one.mark === other.mark;
}

/** `undefined` where it does not exist. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return manager.streams.info(name).catch((error: unknown) => {
    if (errorCode(error) === streamNotFound) return undefined;
    throw error;
  });
}
