import { AckPolicy, DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Batches, type BatchPorts } from "./batches.ts";
import { Puller } from "./puller.ts";

/** A message as a handler sees it. */
export interface ChannelMessage<T = unknown> {
  readonly data: T;
  readonly subject: string;
  /** The place in the stream, the same in every delivery. */
  readonly sequence: number;
  readonly requestId: string | undefined;
}

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
   */
  handler(this: This, messages: ChannelMessage[]): Promise<void>;
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
  private readonly log: BatchPorts["log"];
  private readonly batches: Batches;
  private readonly pullers = new Map<string, Puller>();
  private open: (durable: string) => Puller = () => {
    throw new Error("the channel was not started");
  };

  constructor(definition: ChannelDefinition, ports: BatchPorts) {
    this.definition = definition;
    this.log = ports.log;
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
    this.open = (durable) =>
      new Puller(client, stream, durable, {
        room: () => this.room(),
        received: (message) => this.received(message),
        failed: (error) => this.log.warn({ err: error, channel: durable }, "pulling failed: tried again soon"),
      });
  }

  /** Pulls these partitions from now on (a channel without partitions is one partition, 0), and gives others back. */
  async pull(partitions: readonly number[]): Promise<void> {
    const wanted = new Set(partitions.map((partition) => this.consumers()[partition]?.[0] as string));
    const given = [...this.pullers.keys()].filter((durable) => !wanted.has(durable));
    const stopped = given.map((durable) => {
      const puller = this.pullers.get(durable) as Puller;
      this.pullers.delete(durable);
      return puller.stop();
    });
    for (const durable of wanted) if (!this.pullers.has(durable)) this.pullers.set(durable, this.open(durable));
    await Promise.all(stopped);
    this.batches.giveUp(new Set(given));
  }

  /** Takes no more, lets the batches in hand finish, gives the rest back to the other nodes. */
  async stop(): Promise<void> {
    await Promise.all([...this.pullers.values()].map((puller) => puller.stop()));
    await this.batches.stop();
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
