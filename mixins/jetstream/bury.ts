import type { JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { acknowledge } from "./acks.ts";
import type { HandlingPorts } from "./message.ts";

/**
 * Puts a message to the dead letters; the original is acked only once its copy is safe there, and comes again where it
 * could not be written. Never rejects.
 */
export async function bury(ports: HandlingPorts, channel: string, message: JsMsg, reason: string): Promise<void> {
  const about = { channel, sequence: message.seq, subject: message.subject, reason };
  try {
    await ports.publishDead(channel, message, reason);
    acknowledge(ports, message, () => message.ack());
    ports.log.error(about, "a message went to the dead letters: look at it and replay it");
  } catch (error) {
    acknowledge(ports, message, () => message.nak(limits.jetstream.retryMaxDelayMs));
    ports.log.error({ ...about, err: error }, "a dead letter could not be written: its message comes again");
  }
}
