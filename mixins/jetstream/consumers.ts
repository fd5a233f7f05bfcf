import type { ConsumerInfo, JetStreamManager } from "nats";
import { errorCode, streamNotFound } from "./streams.ts";

export const consumerNotFound = 10014;

/** `undefined` where the consumer, or its stream, does not exist. */
export async function findConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    const info = await manager.consumers.info(stream, name);
    // While a consumer is being deleted the server answers without its state.
    return info.delivered ? info : undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === consumerNotFound || code === streamNotFound) return undefined;
    throw error;
  }
}
