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

/** `undefined` where it, or its stream, is not there. */
export async function findConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    const info = await manager.consumers.info(stream, name);
    // While it is being deleted the server answers without what it has done.
    return info.delivered ? info : undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === consumerNotFound || code === streamNotFound) return undefined;
    throw error;
  }
}

/**
 * Makes a consumer on the stream that was looked at. Of several nodes that do it at once, with starts that may differ,
 * one decides: where a consumer begins cannot be changed, and that is no fault. A stream that is made again meanwhile
 * must not get a consumer under a name of the one before (streams.ts): then this rejects, and leaves none.
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
  throw failure ?? new Error(`consumer ${name} is gone again`);
}

/** Whether a stream is there as it was seen, with its mark. Rejects where the server does not say: then nobody knows. */
async function isStill(manager: JetStreamManager, seen: StreamInfo): Promise<boolean> {
  const now = await findStream(manager, seen.config.name);
  return now !== undefined && now.created === seen.created && markOf(now) === markOf(seen);
}

const madeAgain = ({ config }: StreamInfo) => new Error(`stream ${config.name} was just deleted, made again or marked`);

/** Removes consumers that another look made for a stream that was there before: a queue allows no second one. */
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

/** Brings a consumer that is there to this release's settings; where it stands stays. */
export async function bringToSettings(manager: JetStreamManager, info: ConsumerInfo): Promise<void> {
  const wanted = consumerSettings();
  const { ack_wait, max_ack_pending } = info.config;
  if (ack_wait === wanted.ack_wait && max_ack_pending === wanted.max_ack_pending) return;
  await manager.consumers.update(info.stream_name, info.name, wanted);
}
