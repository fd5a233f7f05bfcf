import type { JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { guarded } from "../guarded.ts";
import type { Delivered, HandlingPorts } from "./message.ts";

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
export function keepHeld({ log }: Ports, held: () => readonly Delivered[]): NodeJS.Timeout {
  const keep = guarded(log, "extending the ack wait", () => {
    for (const { message } of held()) message.working();
  });
  return setInterval(keep, limits.jetstream.ackWaitMs / 3);
}

/**
 * Copies a message to the dead letters and acks it. It is acked only after the copy is confirmed. If the copy cannot be
 * written, the message is delivered again. Never rejects.
 */
export async function deadLetter(ports: HandlingPorts, channel: string, message: JsMsg, reason: string): Promise<void> {
  const about = { channel, sequence: message.seq, subject: message.subject, reason };
  try {
    await ports.publishDead(channel, message, reason);
    acknowledge(ports, message, () => message.ack());
    ports.log.error(about, "a message became a dead letter: repair the cause and replay it");
  } catch (error) {
    acknowledge(ports, message, () => message.nak(limits.jetstream.retryMaxDelayMs));
    ports.log.error({ ...about, err: error }, "a dead letter could not be written: its message is delivered again");
  }
}
