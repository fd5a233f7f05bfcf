import { AckPolicy, DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Batches } from "./batches.ts";
import type { ChannelMessage, HandlingPorts } from "./message.ts";
import { Puller } from "./puller.ts";

/** A durable pull consumer, shared by all nodes that have the same `durable`. */
export interface ChannelDefinition<This = unknown> {
  readonly stream: string;
  /** Filter, without the namespace's prefix; may end in `*` or `>`. Left out it is the whole stream, which costs less. */
  readonly subject?: string;
  /**
   * Splits `subject`, which then ends in `*`, into `0` to `partitions - 1`, each with a consumer of its own that one
   * node at a time pulls: so the order of a partition is kept also where many nodes share the channel.
   */
  readonly partitions?: number;
  readonly durable: string;
  /** Messages of one handler call at the most. */
  readonly batch: number;
  readonly batchesInFlight: number;
  /**
   * While messages stream in, a batch that is not full starts so long after the one before it, so that it is worth its
   * price; after a pause the first message is handled at once. 0 where left out.
   */
  readonly gatherMs?: number;
  /**
   * Messages that this node may hold, waiting and in hand; pulls that are under way may bring as many again. By default
   * the batches in flight and one more.
   */
  readonly heldMessages?: number;
  /** Checks what came off the wire; a message that it throws on goes to the dead letters at once. */
  readonly parse?: (data: unknown) => unknown;
  /** Messages of one key are handled in the order of the stream, never two batches with the same key at once. */
  readonly key?: (data: never) => string;
  /**
   * Handles a batch; every message of it is acked once this resolves, so it must have done all it does by then. Where
   * it rejects, the same messages come again, later each time, so it must be idempotent. A rejection with `unavailable`
   * is tried for ever; any other is tried key by key, and its message goes to the dead letters in the end.
   *
   * A handler whose last step only waits calls `release` before it: the next batch may start, also with the same keys,
   * and what is left is repeated by itself where it fails.
   */
  handler(this: This, messages: ChannelMessage[], release: () => void): Promise<void>;
}

export interface ChannelPorts extends HandlingPorts {
  /**
   * Tries to take the lease of a partition's consumer; `undefined` where another node has it. Needed for partitions.
   * It is for order alone: without it two nodes would handle a partition at once, each message still once.
   */
  lease?(durable: string): Promise<Lease | undefined>;
}

export interface Lease {
  release(): Promise<void>;
}

const decoder = new TextDecoder();
const nanos = (ms: number) => ms * 1_000_000;

/**
 * Pulls durable consumers and hands their messages on in batches: what gathered while the last batches were busy is the
 * next one, so an idle channel handles a message at once and a busy one handles many together. The pulls ask for no more
 * than there is room for.
 */
export class Channel {
  private readonly definition: ChannelDefinition;
  private readonly ports: ChannelPorts;
  private readonly batches: Batches;
  private readonly pullers = new Map<string, Puller>();
  private readonly leases = new Map<string, Lease>();
  private readonly changing = new Set<string>();
  private readonly changes = new Set<Promise<void>>();
  private wanted = new Set<string>();
  private open: (durable: string) => Puller = () => {
    throw new Error("the channel was not started");
  };
  private inOtherHands: (durable: string) => Promise<boolean> = () => Promise.resolve(false);

  constructor(definition: ChannelDefinition, ports: ChannelPorts) {
    this.definition = definition;
    this.ports = ports;
    this.batches = new Batches(definition, ports, () => {
      for (const puller of this.pullers.values()) puller.roomFreed();
    });
  }

  /** Messages held in this process, waiting and in hand. */
  get held(): number {
    return this.batches.held;
  }

  get partitions(): number {
    return this.definition.partitions ?? 0;
  }

  /** Makes the consumers that are missing. Nothing is pulled before `pull`. */
  async start(manager: JetStreamManager, client: JetStreamClient): Promise<void> {
    const stream = natsPrefix() + this.definition.stream;
    await this.dropFormerConsumers(manager, stream);
    for (const [durable, subject] of this.consumers())
      await manager.consumers.add(stream, {
        durable_name: durable,
        ...(subject ? { filter_subject: natsPrefix() + subject } : {}),
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(limits.jetstream.ackWaitMs),
        max_deliver: -1,
        max_ack_pending: limits.jetstream.maxAckPending,
      });
    this.inOtherHands = async (durable) => {
      const { num_ack_pending, num_waiting } = await manager.consumers.info(stream, durable);
      return num_ack_pending + num_waiting > 0;
    };
    this.open = (durable) =>
      new Puller(client, stream, durable, {
        room: () => this.room(),
        received: (message) => this.received(message),
        failed: (error) => this.ports.log.warn({ err: error, channel: durable }, "pulling failed: tried again soon"),
      });
  }

  /**
   * Another number of partitions leaves consumers behind that nobody would pull: empty ones are removed.
   * @throws Error where messages wait in one: they have to be handled by the version that made it.
   */
  private async dropFormerConsumers(manager: JetStreamManager, stream: string): Promise<void> {
    const ours = new Set(this.consumers().map(([durable]) => durable));
    const former = new RegExp(`^${this.definition.durable}(-\\d+)?$`);
    for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(stream)) {
      if (ours.has(name) || !former.test(name)) continue;
      const messages = num_pending + num_ack_pending;
      if (messages > 0)
        throw new Error(
          `consumer ${name} of stream ${stream} has ${messages} messages: run the version that made it first`,
        );
      await manager.consumers.delete(stream, name);
    }
  }

  /**
   * Pulls these partitions from now on and no others (a channel without partitions is one partition, 0). What is held of
   * the others is still handled here; whoever pulls them next waits for that. Resolves once they are handed over.
   */
  async pull(partitions: readonly number[]): Promise<void> {
    this.wanted = new Set(partitions.map((partition) => this.consumers()[partition]?.[0] as string));
    const given = [...this.pullers.keys()].filter((durable) => !this.wanted.has(durable));
    for (const durable of this.wanted) void this.change(durable);
    await Promise.all(given.map((durable) => this.change(durable)));
  }

  private change(durable: string): Promise<void> {
    const change = this.bringAbout(durable);
    this.changes.add(change);
    return change.finally(() => this.changes.delete(change));
  }

  /** One change of a consumer at a time, and the next one where something else is wanted by then. Never rejects. */
  private async bringAbout(durable: string): Promise<void> {
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
    await this.batches.handled(durable);
    // Wanted again meanwhile: the take-over goes on with the lease.
    if (!this.wanted.has(durable)) await this.giveLeaseBack(durable);
  }

  private async giveLeaseBack(durable: string): Promise<void> {
    const lease = this.leases.get(durable);
    this.leases.delete(durable);
    await lease?.release();
  }

  /**
   * Pulls a consumer once its lease is ours, nothing of it is in another's hand and nobody pulls it, so that nothing
   * later overtakes. The hand of a node that died is empty after the ack wait: then what it held is delivered first.
   */
  private async takeOver(durable: string): Promise<void> {
    await this.leased(durable);
    const deadline = Date.now() + limits.jetstream.ackWaitMs + limits.jetstream.takeOverPollMs;
    while (this.wanted.has(durable) && Date.now() < deadline && (await this.isHeld(durable))) await aMoment();
    if (this.wanted.has(durable)) this.pullers.set(durable, this.open(durable));
    else await this.giveLeaseBack(durable);
  }

  /** Waits for the lease while it is wanted; it may come when it is not wanted any more. */
  private async leased(durable: string): Promise<void> {
    while (this.wanted.has(durable) && this.ports.lease && !this.leases.has(durable)) {
      const lease = await this.ports.lease(durable);
      if (lease) this.leases.set(durable, lease);
      else await aMoment();
    }
  }

  /** Where nobody can say, as if it were. */
  private async isHeld(durable: string): Promise<boolean> {
    try {
      return await this.inOtherHands(durable);
    } catch (error) {
      this.ports.log.warn(
        { err: error, channel: durable },
        "a consumer cannot be looked at: waiting before it is pulled",
      );
      return true;
    }
  }

  /** Takes no more and handles what it holds; what cannot be handled any more is given back to the other nodes. */
  async stop(): Promise<void> {
    this.wanted.clear();
    await Promise.all([...this.pullers.values()].map((puller) => puller.stop()));
    await this.batches.stop();
    await Promise.all(this.changes);
    await Promise.all([...this.leases.keys()].map((durable) => this.giveLeaseBack(durable)));
  }

  /** Durable name and filter of each consumer. */
  private consumers(): [durable: string, subject: string | undefined][] {
    const { durable, subject, partitions } = this.definition;
    if (!partitions) return [[durable, subject]];
    return Array.from({ length: partitions }, (_, n) => [`${durable}-${n}`, subject?.replace(/\*$/, String(n))]);
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
      return { data, key: key ? key(data as never) : String(message.seq) };
    });
  }
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, limits.jetstream.takeOverPollMs));
}
