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

/**
 * Extends the ack wait of the messages that are held, until it is stopped. nats-server redelivers in the order in which
 * messages expire.
 */
export class AckWait {
  private readonly ports: Ports;
  private readonly timer: NodeJS.Timeout;
  private extendedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: Ports, held: Iterable<Pick<OpenMessage, "message">>) {
    this.ports = ports;
    const extend = guarded(ports.log, "extending the ack wait", () => {
      this.extendedAt = performance.now();
      for (const { message } of held) message.working();
    });
    this.timer = setInterval(extend, limits.jetstream.ackWaitMs / 3);
  }

  /** Call it for each message that arrives: one that was on its way while the others were extended would expire first. */
  arrived(message: JsMsg): void {
    if (performance.now() - this.extendedAt < limits.jetstream.extendLateMs)
      acknowledge(this.ports, message, () => message.working());
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/**
 * Copies an item to the dead letters. Returns whether the copy is confirmed and reported; where it is not, the item's
 * message must be delivered again. Never rejects.
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
    ports.log.error(
      { ...about, err: error },
      "a dead letter could not be written or reported: its message is delivered again",
    );
    return false;
  }
}
