import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { closeCodes } from "../im-frames.ts";

/** The connection of a socket. */
interface Whose {
  readonly connectionId: string;
  readonly userId: string;
  readonly roomId: number;
}

interface Closable {
  close(code: number, reason: string): void;
  terminate(): void;
}

/**
 * Closes a connection after an error in handling its frame, i.e. a fault of this system. The code is 4422, so that the
 * client does not reconnect and send the same frame again. `whose` is undefined before the user is admitted. Never
 * throws.
 */
export function closeForFault(
  log: Pick<Log, "error">,
  socket: Closable,
  whose: Whose | undefined,
  event: string,
  error: unknown,
) {
  const { connectionId, userId, roomId } = whose ?? {};
  const about = { connectionId, userId, roomId, event, err: error instanceof Error ? error : messageOf(error) };
  log.error(about, "a client's frame could not be handled: its connection is closed");
  try {
    socket.close(closeCodes.protocolFault, "what was sent cannot be handled");
  } catch (closing) {
    log.error({ ...about, err: closing }, "the closing handshake failed as well: the socket is cut");
    socket.terminate();
  }
}
