import type { JetStreamClient, JetStreamManager, JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { Batches } from "./batches.ts";
import type { Missed } from "./catch-up.ts";
import { consumersOf, type StreamDefinition } from "./definitions.ts";
import { type ChannelMessage, type HandlingPorts, placeOf } from "./message.ts";
import { Puller } from "./puller.ts";

/**
 * A durable pull consumer, shared by all nodes that have the same `durable`. A stream with partitions has a consumer for
 * each of them, which one node at a time pulls: their messages keep their order although many nodes share the channel.
 */
export interface ChannelDefinition<This = unknown> {
  readonly stream: StreamDefinition;
  /**
   * The filter, without the namespace's prefix; may end in `*` or `>`. Without it the consumer reads the whole stream,
   * which costs less.
   */
  readonly subject?: string;
  readonly durable: string;
  /**
   * One node at a time pulls, so that messages keep their order. Only for streams without partitions: partitions always
   * have it.
   */
  readonly exclusive?: true;
  /** The most messages of one call of the handler. */
  readonly batch: number;
  readonly batchesInFlight: number;
  /**
   * While messages stream in, a batch that is not full starts this long after the one before it, since a message costs
   * more in a small batch. After a pause the first message is handled at once. 0 where left out.
   */
  readonly gatherMs?: number;
  /**
   * The most messages that this node holds, waiting and in work; running pulls may bring as many again. The default is
   * enough for the batches in flight and one more.
   */
  readonly heldMessages?: number;
  /** Checks a received message. If it throws, the message becomes a dead letter at once. */
  readonly parse?: (data: unknown) => unknown;
  /** Messages of one key are handled in the order of the stream, and never in two batches at once. */
  readonly key?: (data: never) => string;
  /**
   * Handles a batch. Every message of it is acked once this resolves. If it rejects, the same messages are delivered
   * again, so it must be idempotent. After a rejection with `unavailable` they are retried without limit, with growing
   * pauses. After another error each key is tried alone, and the failing message becomes a dead letter in the end.
   */
  handler(this: This, messages: ChannelMessage[]): Promise<void>;
  /**
   * Of a consumer of a log: handles again what the service's books say has happened since a time. Called where the log
   * has lost messages that the consumer may not have read: dropped for their bytes or age, or gone with the stream. On one
   * node at a time, whichever it is. Where it rejects it is called again.
   */
  missed?(this: This, missed: Missed): Promise<void>;
  /**
   * Gets the parsed data of each message that became a dead letter, after its copy is confirmed and before it is acked.
   * So it may get one again.
   */
  dead?(this: This, data: unknown): void;
}

/** See `Channel.partitions`. */
export function partitionsOfChannel({ stream, exclusive }: Pick<ChannelDefinition, "stream" | "exclusive">): number {
  return stream.partitions ?? (exclusive ? 1 : 0);
}

export interface ChannelPorts extends HandlingPorts {
  /**
   * Tries to take the lease of a consumer that one node at a time pulls; `undefined` where another node has it. The
   * lease gives order alone: without it two nodes would pull at once, and each message would still be handled once.
   */
  lease?(durable: string): Promise<PartitionLease | undefined>;
  /** The server's name of a consumer. */
  consumerName?(durable: string): string;
  /** A pull failed: its consumer may be lost. */
  pullFailed?(): void;
}

export interface PartitionLease {
  unlock(): Promise<void>;
}

const decoder = new TextDecoder();

/**
 * Pulls durable consumers and passes their messages to the handler in batches. A batch has the messages that arrived
 * while the last ones were handled: an idle channel handles a message at once, a busy one handles many together. The
 * pulls ask for no more messages than there is room for.
 */
export class Channel {
  private readonly definition: ChannelDefinition;
  private readonly ports: ChannelPorts;
  private readonly batches: Batches;
  private readonly pullers = new Map<string, Puller>();
  private readonly leases = new Map<string, PartitionLease>();
  private readonly changing = new Set<string>();
  private readonly changes = new Set<Promise<void>>();
  private wanted = new Set<string>();
  private open: (durable: string) => Puller = () => {
    throw new Error("the channel was not started");
  };
  private streamOf: (durable: string) => string = (durable) => durable;
  private isActiveElsewhere: (durable: string) => Promise<boolean> = () => Promise.resolve(false);

  constructor(definition: ChannelDefinition, ports: ChannelPorts) {
    this.definition = definition;
    this.ports = ports;
    this.batches = new Batches(definition, ports, () => {
      for (const puller of this.pullers.values()) puller.roomFreed();
    });
  }

  /** Messages held in this process. */
  get held(): number {
    return this.batches.held;
  }

  /** Consumers that one node at a time pulls; 0 where all nodes pull the same one. */
  get partitions(): number {
    return partitionsOfChannel(this.definition);
  }

  /** The consumers exist already (mixins/jetstream/maintenance.ts). Nothing is pulled before `pull`. */
  start(manager: JetStreamManager, client: JetStreamClient): void {
    const consumers = this.consumers();
    const streamOf = (durable: string) => consumers.get(durable) as string;
    const nameOf = (durable: string) => this.ports.consumerName?.(durable) ?? durable;
    this.streamOf = streamOf;
    this.isActiveElsewhere = async (durable) => {
      const { num_ack_pending, num_waiting } = await manager.consumers.info(streamOf(durable), nameOf(durable));
      return num_ack_pending + num_waiting > 0;
    };
    this.open = (durable) =>
      new Puller(client, streamOf(durable), () => nameOf(durable), {
        room: () => this.room(),
        received: (message) => this.received(message),
        failed: (error) => {
          this.ports.log.warn({ err: error, channel: durable }, "pulling failed: tried again soon");
          this.ports.pullFailed?.();
        },
      });
  }

  /**
   * Pulls these partitions from now on and no others (a channel without partitions has one, 0). Held messages of the
   * others are still handled here; the next node that pulls them waits for that. Resolves once those partitions have no
   * held messages.
   */
  async pull(partitions: readonly number[]): Promise<void> {
    const durables = [...this.consumers().keys()];
    this.wanted = new Set(partitions.map((partition) => durables[partition] as string));
    const given = [...this.pullers.keys()].filter((durable) => !this.wanted.has(durable));
    for (const durable of this.wanted) void this.change(durable);
    await Promise.all(given.map((durable) => this.change(durable)));
  }

  private change(durable: string): Promise<void> {
    const change = this.reconcile(durable);
    this.changes.add(change);
    return change.finally(() => this.changes.delete(change));
  }

  /**
   * Makes one change of a consumer at a time, and another one if the wanted state has changed meanwhile. Never rejects.
   */
  private async reconcile(durable: string): Promise<void> {
    if (this.changing.has(durable)) return;
    this.changing.add(durable);
    while (this.wanted.has(durable) !== this.pullers.has(durable)) {
      if (this.wanted.has(durable)) await this.takeOver(durable);
      else await this.handOver(durable);
    }
    this.changing.delete(durable);
  }

  private async handOver(durable: string): Promise<void> {
    await this.pullers.get(durable)?.stop();
    this.pullers.delete(durable);
    await this.batches.handled(this.streamOf(durable));
    // Wanted again meanwhile: the take-over continues with the same lease.
    if (!this.wanted.has(durable)) await this.giveLeaseBack(durable);
  }

  private async giveLeaseBack(durable: string): Promise<void> {
    const lease = this.leases.get(durable);
    this.leases.delete(durable);
    await lease?.unlock();
  }

  /**
   * Pulls a consumer once this node has its lease and no other node holds messages of it or pulls it. So no later
   * message overtakes an earlier one. Messages of a node that died are delivered again after the ack wait.
   */
  private async takeOver(durable: string): Promise<void> {
    await this.leased(durable);
    const deadline = Date.now() + limits.jetstream.ackWaitMs + limits.jetstream.takeOverPollMs;
    while (this.wanted.has(durable) && Date.now() < deadline && (await this.isHeld(durable))) await delay();
    if (this.wanted.has(durable)) this.pullers.set(durable, this.open(durable));
    else await this.giveLeaseBack(durable);
  }

  /** Waits for the lease while the consumer is wanted. The lease may arrive after it is not wanted any more. */
  private async leased(durable: string): Promise<void> {
    while (this.wanted.has(durable) && this.ports.lease && !this.leases.has(durable)) {
      const lease = await this.ports.lease(durable);
      if (lease) this.leases.set(durable, lease);
      else await delay();
    }
  }

  /** Also true where the server does not answer. */
  private async isHeld(durable: string): Promise<boolean> {
    try {
      return await this.isActiveElsewhere(durable);
    } catch (error) {
      this.ports.log.warn(
        { err: error, channel: durable },
        "a consumer cannot be checked: waiting before it is pulled",
      );
      return true;
    }
  }

  /** Stops pulling and handles the held messages. Messages that cannot be handled are given back to the other nodes. */
  async stop(): Promise<void> {
    this.wanted.clear();
    await Promise.all([...this.pullers.values()].map((puller) => puller.stop()));
    await this.batches.stop();
    await Promise.all(this.changes);
    await Promise.all([...this.leases.keys()].map((durable) => this.giveLeaseBack(durable)));
  }

  /** The stream of each consumer, by its durable name, in the order of the partitions. */
  private consumers(): Map<string, string> {
    return new Map(consumersOf(this.definition).map(({ durable, stream }) => [durable, stream]));
  }

  private room(): number {
    const { batch, batchesInFlight, heldMessages = batch * (batchesInFlight + 1) } = this.definition;
    if (this.held >= heldMessages) return 0;
    return Math.max(1, Math.ceil(heldMessages / Math.max(1, this.pullers.size)));
  }

  private received(message: JsMsg): void {
    this.batches.put(message, () => {
      const { parse, key } = this.definition;
      const raw: unknown = JSON.parse(decoder.decode(message.data));
      const data = parse ? parse(raw) : raw;
      return { data, key: key ? key(data as never) : placeOf(message) };
    });
  }
}

/** The pause between two checks of a consumer that is to be taken over. */
function delay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, limits.jetstream.takeOverPollMs));
}
