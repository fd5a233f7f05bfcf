import type { ConsumerInfo, JetStreamManager, StreamInfo } from "nats";
import {
  type ConsumerDefinition,
  consumerConfig,
  consumerName,
  consumerSettings,
  isNameOf,
  type Start,
} from "./definitions.ts";
import { errorCode, findStream, markOf, streamNotFound } from "./streams.ts";

const consumerNotFound = 10014;

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

/**
 * Creates a consumer on the stream that was checked. Several nodes may do it at once, with different starts; the first
 * one counts, since a start cannot be changed. If the stream is made again meanwhile, it must not get a consumer under
 * a name of the lost stream (streams.ts). Then this rejects and leaves no consumer.
 */
export async function makeConsumer(
  manager: JetStreamManager,
  consumer: ConsumerDefinition,
  stream: StreamInfo,
  start: Start,
): Promise<ConsumerInfo> {
  const name = consumerName(consumer, markOf(stream));
  await removeFormer(manager, consumer, stream);
  let failure: unknown;
  await manager.consumers.add(consumer.stream, consumerConfig(name, consumer, start)).catch((error: unknown) => {
    failure = error;
  });
  if (!(await isStill(manager, stream))) {
    if (failure === undefined) await remove(manager, consumer.stream, name);
    throw madeAgain(stream);
  }
  const info = await findConsumer(manager, consumer.stream, name);
  if (info) return info;
  throw failure ?? new Error(`consumer ${name} was deleted again`);
}

/** Whether a stream is still the one that was seen, with the same mark. Rejects where the server does not answer. */
async function isStill(manager: JetStreamManager, seen: StreamInfo): Promise<boolean> {
  const now = await findStream(manager, seen.config.name);
  return now !== undefined && now.created === seen.created && markOf(now) === markOf(seen);
}

const madeAgain = ({ config }: StreamInfo) => new Error(`stream ${config.name} was just deleted, made again or marked`);

/** Removes consumers that a check made on a lost stream of the same name: a queue allows only one. */
async function removeFormer(
  manager: JetStreamManager,
  { stream, durable }: ConsumerDefinition,
  info: StreamInfo,
): Promise<void> {
  const former: string[] = [];
  for await (const { name } of manager.consumers.list(stream)) if (isNameOf(durable, name)) former.push(name);
  if (!(await isStill(manager, info))) throw madeAgain(info);
  const now = consumerName({ durable }, markOf(info));
  for (const name of former) if (name !== now) await remove(manager, stream, name);
}

async function remove(manager: JetStreamManager, stream: string, name: string): Promise<void> {
  await manager.consumers.delete(stream, name).catch((error: unknown) => {
    const code = errorCode(error);
    if (code !== consumerNotFound && code !== streamNotFound) throw error;
  });
}

/** Updates an existing consumer to the current settings. Its position stays. */
export async function bringToSettings(manager: JetStreamManager, info: ConsumerInfo): Promise<void> {
  const wanted = consumerSettings();
  const { ack_wait, max_ack_pending } = info.config;
  if (ack_wait === wanted.ack_wait && max_ack_pending === wanted.max_ack_pending) return;
  await manager.consumers.update(info.stream_name, info.name, wanted);
}
