import type { JetStreamManager } from "nats";
import type { WantedStream } from "./definitions.ts";
import { errorCode } from "./streams.ts";

/** Error codes of the server where it cannot reserve a stream's bytes. */
const noRoomToReserve: ReadonlySet<number | undefined> = new Set([10_023, 10_047]);

/**
 * Rejects with the error; where the server has no room to reserve the stream's bytes, with one that says how many are
 * missing. `reserved`: what the stream has reserved so far.
 */
export async function explainNoRoom(
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
