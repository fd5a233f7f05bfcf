import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createInbox, Empty, type NatsConnection, type StreamConfig, type StreamState } from "nats";
import { limits } from "../../config/limits.ts";

/**
 * Streams as nats-server itself writes and reads them: messages with their sequences, times and headers. The client
 * library does not speak this part of JetStream's API.
 *
 * Consumers are left out. The server writes them after the messages, so one may have read messages that are not in the
 * snapshot; the next messages would get their sequences, and that consumer would never get them.
 */

const { streamChunkBytes, streamSilenceMs } = limits.backup;

/** What nats-server tells of a stream with its snapshot; it wants both back for the restoring. */
export interface StreamAbout {
  readonly config: StreamConfig;
  readonly state: StreamState;
}

interface ApiAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

const parsed = <T>(data: Uint8Array): T & ApiAnswer => JSON.parse(new TextDecoder().decode(data)) as T & ApiAnswer;

/** @throws Error with the server's words */
function refuseError(what: string, { error }: ApiAnswer): void {
  if (error) throw new Error(`${what}: ${error.description ?? `error ${error.code}`}`);
}

/** The number of a part: the last token of the subject to which it is acked. */
const numberOf = (ackSubject: string) => Number(ackSubject.slice(ackSubject.lastIndexOf(".") + 1));

/**
 * Writes a snapshot of a stream to `write`, part by part, and returns what the server tells of it. All messages of that
 * state are in it, unless they are removed meanwhile, and those that come meanwhile may be. @throws Error where a part is
 * missing, or the server is silent for `limits.backup.streamSilenceMs`
 */
export async function snapshotStream(
  connection: NatsConnection,
  stream: string,
  write: (part: Uint8Array) => Promise<void>,
): Promise<StreamAbout> {
  const deliver = createInbox();
  const parts = connection.subscribe(deliver, { timeout: streamSilenceMs });
  try {
    const request = { deliver_subject: deliver, chunk_size: streamChunkBytes, no_consumers: true };
    const answer = await connection.request(`$JS.API.STREAM.SNAPSHOT.${stream}`, JSON.stringify(request), {
      timeout: streamSilenceMs,
    });
    const about = parsed<StreamAbout>(answer.data);
    refuseError(`no snapshot of stream ${stream}`, about);
    let received = 0;
    const silent = new AbortController();
    const silence = () =>
      setTimeout(() => {
        silent.abort();
        parts.unsubscribe();
      }, streamSilenceMs);
    let timer = silence();
    try {
      for await (const { data, reply, headers } of parts) {
        clearTimeout(timer);
        // Servers from 2.10 on end a snapshot that they break off in the same way, with a status.
        if (data.length === 0 && headers?.hasError)
          throw new Error(`the snapshot of stream ${stream} broke off: ${headers.code} ${headers.description}`);
        if (data.length === 0) return { config: about.config, state: about.state };
        received++;
        // The last part has no reply: nothing waits for it.
        if (reply && numberOf(reply) !== received)
          throw new Error(`part ${received} of the snapshot of ${stream} did not arrive: the connection was lost`);
        await write(data);
        if (reply) connection.publish(reply);
        timer = silence();
      }
    } finally {
      clearTimeout(timer);
    }
    throw new Error(
      silent.signal.aborted
        ? `the server sent nothing more of the snapshot of ${stream} for ${streamSilenceMs} ms`
        : `the connection ended within the snapshot of ${stream}`,
    );
  } finally {
    parts.unsubscribe();
  }
}

/** The same into a file of its own. */
export async function snapshotToFile(connection: NatsConnection, stream: string, file: string): Promise<StreamAbout> {
  const out = createWriteStream(file, { mode: 0o600, flags: "wx" });
  try {
    const about = await snapshotStream(connection, stream, async (part) => {
      if (!out.write(part)) await once(out, "drain");
    });
    out.end();
    await once(out, "finish");
    return about;
  } finally {
    out.destroy();
  }
}

/**
 * Makes a stream from its snapshot, without consumers. There must be none of that name. The stream is there as a whole
 * or not at all. @throws Error with the server's words
 */
export async function restoreStream(connection: NatsConnection, about: StreamAbout, file: string): Promise<void> {
  const { config, state } = about;
  const { name } = config;
  const timeout = streamSilenceMs;
  const answer = await connection.request(`$JS.API.STREAM.RESTORE.${name}`, JSON.stringify({ config, state }), {
    timeout,
  });
  const { deliver_subject: deliver, ...rest } = parsed<{ deliver_subject: string }>(answer.data);
  refuseError(`stream ${name} cannot be restored`, rest);
  for await (const part of createReadStream(file, { highWaterMark: streamChunkBytes })) {
    // An answer to each part, empty where all is well, is what keeps the server's pace.
    const { data } = await connection.request(deliver, part as Buffer, { timeout });
    if (data.length > 0) throw new Error(`stream ${name} cannot be restored: ${new TextDecoder().decode(data)}`);
  }
  // The server reads the whole stream before it answers.
  const done = await connection.request(deliver, Empty, { timeout: limits.backup.streamMadeMs });
  refuseError(`stream ${name} cannot be restored`, parsed<object>(done.data));
}
