import type { Log } from "../../broker/log.ts";
import type { ConsumerDefinition, Start, StreamDefinition, WantedStream } from "./definitions.ts";
import type { StreamIdentity } from "./streams.ts";

/** A consumer that is to be made. */
export interface ConsumerRequest {
  readonly consumer: Pick<ConsumerDefinition, "durable" | "stream" | "subject">;
  /** Its name on the server, with the ending that its stream has. */
  readonly name: string;
  /** The stream that was looked at. If it is another one by now, no consumer is made. */
  readonly stream: StreamIdentity;
  /** Where it begins, if nobody else has made it meanwhile. */
  readonly start: Start;
}

/**
 * Everything that changes streams and consumers. At NATS only the provisioner has the right to; other services ask it
 * (remote-provisioning.ts), and a process with its login does it itself (provisioner.ts). All of it may be done many
 * times and by many nodes at once. Everything rejects where it cannot be done by now, and is asked for again.
 */
export interface Provisioning {
  /** Makes a missing stream. `again`: it is known to have existed, and gets a mark (streams.ts). */
  makeStream(wanted: WantedStream, again: boolean): Promise<void>;
  /** Brings an existing stream to its definition, where that is not done by somebody else. */
  bringStreamToSettings(part: StreamDefinition, log?: Log): Promise<void>;
  /** Makes a missing consumer and removes those that its durable had on a lost stream. */
  makeConsumer(request: ConsumerRequest): Promise<void>;
  /** Brings an existing consumer to the present settings. Its position stays. */
  bringConsumerToSettings(stream: string, name: string): Promise<void>;
  /** Marks a queue that has lost messages, unless it was marked or made again since it was looked at. */
  markLoss(stream: string, seen: StreamIdentity): Promise<void>;
}
