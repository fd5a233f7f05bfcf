import type { JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { guarded } from "../guarded.ts";
import { type HandlingPorts, type ItemPlace, type OpenMessage, placeForLog } from "./message.ts";

type Ports = Pick<HandlingPorts, "log">;

/**
 * Sends an ack or a nak of a message. Never throws: on a closed connection nothing can be sent, and the message is
 * delivered again after the ack wait, to this node or another.
 */
export function acknowledge({ log }: Ports, message: JsMsg, how: () => void): void {
  try {
    how();
  } catch (error) {
    log.warn(
      { sequence: message.seq, err: error },
      "a message could not be acked or given back: it is delivered again",
    );
  }
}

/** Extends the ack wait of the messages that are held, until the timer is cleared. */
export function keepHeld({ log }: Ports, held: Iterable<Pick<OpenMessage, "message">>): NodeJS.Timeout {
  const keep = guarded(log, "extending the ack wait", () => {
    for (const { message } of held) message.working();
  });
  return setInterval(keep, limits.jetstream.ackWaitMs / 3);
}

/**
 * Copies an item to the dead letters. Returns whether the copy is confirmed; where it is not, the item's message must
 * be delivered again. Never rejects.
 */
export async function deadLetter(
  ports: HandlingPorts,
  channel: string,
  item: ItemPlace,
  reason: string,
): Promise<boolean> {
  const { of, index, forged } = item;
  const about = { channel, ...placeForLog(item), subject: of.message.subject, reason };
  try {
    await ports.publishDead(channel, of.message, index, reason, forged);
    const next = forged
      ? "a message is not genuine: it is refused and kept as a dead letter; find out who can publish on its subject"
      : "a message became a dead letter: repair the cause and replay it";
    ports.log.error(about, next);
    return true;
  } catch (error) {
    ports.log.error({ ...about, err: error }, "a dead letter could not be written: its message is delivered again");
    return false;
  }
}
