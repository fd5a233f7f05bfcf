import type { Service } from "moleculer";
import type { JsMsg } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import type { ChannelDefinition } from "./channel-definition.ts";
import { storedAtMs } from "./message.ts";
import { dataOfItem } from "./split.ts";

/** Rejects where the service's hook has to be called again: see `dead` of the definition. */
export async function passDeadLetter(
  service: Service,
  definition: ChannelDefinition<Service>,
  message: JsMsg,
  index: number | undefined,
): Promise<void> {
  const { dead, durable } = definition;
  if (!dead) return;
  try {
    await dead.call(service, dataOfItem(message, definition, index), storedAtMs(message));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    const about = { err: error, channel: durable, sequence: message.seq };
    service.logger.warn(about, "a dead letter cannot be read: the service keeps its own data about it");
  }
}
