import type { JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { guarded } from "../guarded.ts";
import type { Delivered, HandlingPorts } from "./message.ts";

type Ports = Pick<HandlingPorts, "log">;

/**
 * Says something to the server about a message: acked, or given back. Never throws: where the connection is closed for
 * good nothing can be said any more, and the message comes again, here or elsewhere, after the ack wait.
 */
export function say({ log }: Ports, message: JsMsg, how: () => void): void {
  try {
    how();
  } catch (error) {
    log.warn({ sequence: message.seq, err: error }, "a message could not be acked or given back: it comes again");
  }
}

/** Keeps the server from delivering again what is held, until the timer is cleared. */
export function keepHeld({ log }: Ports, held: () => readonly Delivered[]): NodeJS.Timeout {
  const keep = guarded(log, "keeping what is held", () => {
    for (const { message } of held()) message.working();
  });
  return setInterval(keep, limits.jetstream.ackWaitMs / 3);
}
