import type { ServiceName } from "../../broker/service-names.ts";
import { natsPrefix } from "../../config/config.ts";
import {
  type ConsumerDefinition,
  consumerName,
  consumersOf,
  deadLetters,
  logConsumerNames,
  partsOf,
  type StreamDefinition,
} from "../../mixins/jetstream/definitions.ts";
import { type StreamAccess, streamAccess } from "../stream-access.ts";

/** What each service may have made for it. Pure, but for the namespace. */

const accessOf = (services: Iterable<string>): StreamAccess[] =>
  [...services].flatMap((name) => (Object.hasOwn(streamAccess, name) ? [streamAccess[name as ServiceName]] : []));

/** The stream of that name, or the part of one, if one of the services may ask for it. */
export function streamFor(services: Iterable<string>, name: string): StreamDefinition | undefined {
  const streams = accessOf(services).flatMap((access) => access.streams);
  const all = streams.length > 0 ? [...streams, deadLetters] : [];
  return all.flatMap(partsOf).find((part) => part.name === name);
}

/** The consumer of that durable on that stream, if it is of one of the services. */
function consumerOf(services: Iterable<string>, stream: string, durable: string): ConsumerDefinition | undefined {
  const consumers = accessOf(services).flatMap((access) => access.consumers.flatMap(consumersOf));
  return consumers.find((one) => one.stream === natsPrefix() + stream && one.durable === durable);
}

/**
 * The same, if it may have that name on the server: on a queue with the mark of the stream that was seen, on a log with
 * one of the endings that its login's permissions list.
 */
export function consumerFor(
  services: Iterable<string>,
  { stream, durable, name, mark }: Record<"stream" | "durable" | "name", string> & { mark: string | undefined },
): ConsumerDefinition | undefined {
  const consumer = consumerOf(services, stream, durable);
  const names = consumer?.kind === "queue" ? [consumerName({ durable }, mark)] : logConsumerNames(durable);
  return names.includes(name) ? consumer : undefined;
}

/** Whether one of the services consumes that queue. */
export function consumesQueue(services: Iterable<string>, stream: string): boolean {
  const consumers = accessOf(services).flatMap((access) => access.consumers.flatMap(consumersOf));
  return consumers.some((one) => one.kind === "queue" && one.stream === natsPrefix() + stream);
}

/** The durable consumers of every service. */
export function everyConsumer(): ConsumerDefinition[] {
  return Object.values(streamAccess).flatMap(({ consumers }) => consumers.flatMap(consumersOf));
}
