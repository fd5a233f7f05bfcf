import type { JetStreamClient, JetStreamManager, JsMsg } from "nats";
import { limits } from "../../config/limits.ts";
import { Batches } from "./batches.ts";
import { type ChannelDefinition, partitionsOfChannel } from "./channel-definition.ts";
import { consumersOf } from "./definitions.ts";
import type { HandlingPorts } from "./message.ts";
import { Puller } from "./puller.ts";
import { forgedReason, type MessageSignatures } from "./signatures.ts";
import { type ReadItem, readItems } from "./split.ts";

export interface ChannelPorts extends HandlingPorts {
  /**
   * Tries to take the lease of a consumer that one node at a time pulls; `undefined` where another node has it. The
   * lease gives order alone: without it two nodes would pull at once, and each message would still be handled once.
   */
  lease?(durable: string): Promise<PartitionLease | undefined>;
  /** The server's name of a consumer. */
  consumerName?(durable: string): string;
  /** A pull was answered. */
  pulled?(durable: string): void;
  /** A pull failed: its consumer may be lost. */
  pullFailed?(durable: string, error: unknown): void;
  /** Of a channel of signed messages: each is checked before anything of it is read. */
  readonly signatures?: MessageSignatures;
}

export interface PartitionLease {
  unlock(): Promise<void>;
}

/**
 * Pulls durable consumers and passes their messages to the handler in batches. A batch has the messages that arrived
 * while the last ones were handled: an idle channel handles a message at once, a busy one handles many together. The
 * pulls ask for no more messages than there is room for.
 */
export class Channel {
  private readonly definition: ChannelDefinition;
  private readonly ports: ChannelPorts;
  private batches: Batches;
  private readonly pullers = new Map<string, Puller>();
  private readonly leases = new Map<string, PartitionLease>();
  private readonly changing = new Set<string>();
  private readonly changes = new Set<Promise<void>>();
  private wanted = new Set<string>();
  /** A stop during a leave is the same one. */
  private stopping: Promise<void> | undefined;
  /** About the most items of the last messages. Before the first message it is not known: pulls request one message. */
  private itemsLately: number;
  private open: (durable: string) => Puller = () => {
    throw new Error("the channel was not started");
  };
  private streamOf: (durable: string) => string = (durable) => durable;
  private isActiveElsewhere: (durable: string) => Promise<boolean> = () => Promise.resolve(false);

  constructor(definition: ChannelDefinition, ports: ChannelPorts) {
    this.definition = definition;
    this.ports = ports;
    this.itemsLately = heldOf(definition);
    this.batches = this.emptyBatches();
  }

  private emptyBatches(): Batches {
    return new Batches(this.definition, this.ports, () => {
      for (const puller of this.pullers.values()) puller.roomFreed();
    });
  }

  /** The name of its consumer, without the number of a partition. */
  get durable(): string {
    return this.definition.durable;
  }

  /** Items held in this process: messages, or the parts of messages that are split. */
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
        pulled: () => this.ports.pulled?.(durable),
        failed: (error) => {
          this.ports.log.warn({ err: error, channel: durable }, "pulling failed: tried again soon");
          this.ports.pullFailed?.(durable, error);
        },
      });
  }

  /**
   * Pulls these partitions from now on and no others (a channel without partitions has one, 0). Held messages of the
   * others are still handled here, and those that fail are given back; the next node that pulls them waits for that.
   * Resolves once those partitions have no held messages.
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
  stop(): Promise<void> {
    this.stopping ??= this.stopAll().finally(() => {
      this.stopping = undefined;
    });
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    this.wanted.clear();
    await Promise.all([...this.pullers.values()].map((puller) => puller.stop()));
    await this.batches.stop();
    await Promise.all(this.changes);
    await Promise.all([...this.leases.keys()].map((durable) => this.giveLeaseBack(durable)));
  }

  /** As `stop`, until `pull`: this node cannot handle anything for now. */
  async leave(): Promise<void> {
    await this.stop();
    this.pullers.clear();
    this.batches = this.emptyBatches();
  }

  /** The stream of each consumer, by its durable name, in the order of the partitions. */
  private consumers(): Map<string, string> {
    return new Map(consumersOf(this.definition).map(({ durable, stream }) => [durable, stream]));
  }

  /**
   * How many messages a pull may bring: a share of what may be held. The number of items of a message is known only
   * after it has arrived, so the next messages are assumed to be like the last ones. After many small messages a pull
   * may bring large ones. So it brings at most `limits.jetstream.splitPullMessages`.
   */
  private room(): number {
    const most = heldOf(this.definition);
    const { items, bytes } = this.batches.occupied;
    if (items >= most || bytes >= limits.jetstream.heldBytes) return 0;
    const share = Math.max(1, Math.ceil(most / Math.max(1, this.pullers.size)));
    if (!this.definition.split) return share;
    return Math.min(limits.jetstream.splitPullMessages, Math.max(1, Math.floor(share / this.itemsLately)));
  }

  private received(message: JsMsg): void {
    this.batches.put(message, (place) => this.read(message, place));
  }

  private read(message: JsMsg, place: string): ReadItem[] {
    const { signatures } = this.ports;
    const forged = signatures?.faultOf(message.subject, message.data);
    if (signatures && forged)
      return [{ index: undefined, unreadable: forgedReason(forged, signatures, message.data), forged }];
    const items = readItems(message.data, this.definition, place);
    this.itemsLately = Math.max(items.length, this.itemsLately * forgetting);
    return items;
  }
}

/** After 22 smaller messages a large one counts for a tenth of its items. */
const forgetting = 0.9;

function heldOf({ batch, batchesInFlight, heldMessages }: ChannelDefinition): number {
  return heldMessages ?? batch * (batchesInFlight + 1);
}

/** The pause between two checks of a consumer that is to be taken over. */
function delay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, limits.jetstream.takeOverPollMs));
}
