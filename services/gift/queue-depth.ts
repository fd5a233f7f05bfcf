import type { ConsumerInfo, JetStreamManager, StoredMsg, StreamState } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { deadLetterSubject } from "../../mixins/jetstream/definitions.ts";
import { streamNames } from "../../mixins/jetstream/streams.ts";
import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { giftStream } from "../streams.ts";
import { giftReading, giftsOf } from "./gift-group.ts";
import type { GiftState } from "./gift-state.ts";
import { settlerDurable } from "./queue.ts";
import type { QueueDepth } from "./work.contract.ts";

/**
 * Gifts that wait, are being settled, or are dead letters. The server counts messages alone: up to
 * `limits.gift.depthMessagesRead` messages of a partition are read, and their gifts counted. Further messages are
 * assumed to have as many gifts on average. Of a message, the gifts that are settled already count too.
 */
export async function queueDepth(service: Pick<GiftState, "jetstream" | "signatures">): Promise<QueueDepth> {
  const { manager } = service.jetstream;
  const queue = { manager, countOf: (message: StoredMsg) => countOf(service.signatures, message) };
  const parts = await Promise.all(streamNames(giftStream).map((stream) => depthOf(queue, stream)));
  const waiting = parts.reduce((sum, part) => sum + part.waiting, 0);
  const inFlight = parts.reduce((sum, part) => sum + part.inFlight, 0);
  const subjects = natsPrefix() + deadLetterSubject(settlerDurable, "proven");
  const oldest = parts.map((part) => part.oldestMs).filter((ms) => ms !== null);
  const dead = await manager.streams.info(`${natsPrefix()}DEAD`, { subjects_filter: subjects });
  const deadLetters = Object.values(dead.state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  return {
    ...{ waiting, inFlight, deadLetters },
    oldestMs: oldest.length === 0 ? null : Math.max(...oldest),
    partitions: parts.map((part, partition) => ({ partition, gifts: part.waiting + part.inFlight })),
  };
}

interface Queue {
  readonly manager: JetStreamManager;
  /** The gifts of a message. */
  readonly countOf: (message: StoredMsg) => number;
}

/** Clocks of nodes and servers differ: never below 0. */
const ageOf = ({ messages, first_ts }: StreamState) =>
  messages > 0 ? Math.max(0, Date.now() - Date.parse(String(first_ts))) : null;

type PartDepth = Pick<QueueDepth, "waiting" | "inFlight" | "oldestMs">;

async function depthOf(queue: Queue, stream: string): Promise<PartDepth> {
  const { manager } = queue;
  const [consumers, { state }] = await Promise.all([
    manager.consumers.list(stream).next(),
    manager.streams.info(stream),
  ]);
  const oldestMs = ageOf(state);
  // Without a consumer all messages wait.
  if (consumers.length === 0)
    return { waiting: await giftsIn(queue, stream, { after: 0, messages: state.messages }), inFlight: 0, oldestMs };
  const sum = async (range: (consumer: ConsumerInfo) => Range) => {
    const gifts = await Promise.all(consumers.map((consumer) => giftsIn(queue, stream, range(consumer))));
    return gifts.reduce((all, some) => all + some, 0);
  };
  // What was delivered and is still in the stream is being settled.
  const [waiting, inFlight] = await Promise.all([
    sum(({ delivered, num_pending }) => ({ after: delivered.stream_seq, messages: num_pending })),
    sum(({ delivered, num_ack_pending }) => ({ after: 0, upTo: delivered.stream_seq, messages: num_ack_pending })),
  ]);
  return { waiting, inFlight, oldestMs };
}

/** Messages of a stream with sequences in a range. */
interface Range {
  readonly after: number;
  readonly upTo?: number;
  readonly messages: number;
}

async function giftsIn(queue: Queue, stream: string, { after, upTo, messages }: Range): Promise<number> {
  const { manager, countOf } = queue;
  const most = Math.min(messages, limits.gift.depthMessagesRead);
  let gifts = 0;
  let read = 0;
  for (let last = after; read < most; read++) {
    const message = await nextAfter(manager, stream, last);
    if (!message || message.seq > (upTo ?? message.seq)) break;
    gifts += countOf(message);
    last = message.seq;
  }
  // Some may have been settled since the server counted them.
  return read < most ? gifts : Math.round((gifts / Math.max(1, read)) * messages);
}

/** The first message of a stream after a sequence, `undefined` where there is none. */
async function nextAfter(manager: JetStreamManager, stream: string, sequence: number): Promise<StoredMsg | undefined> {
  try {
    const next = { next_by_subj: ">", seq: sequence + 1 };
    return await manager.streams.getMessage(stream, next as never);
  } catch (error) {
    if ((error as { code?: string }).code === "404") return undefined;
    throw error;
  }
}

/** A message that is forged or cannot be read will be one dead letter, however many gifts it says it has; a marker has none. */
function countOf(signatures: MessageSignatures, message: StoredMsg): number {
  if (signatures.faultOf(message.subject, message.data)) return 1;
  try {
    const data = message.json();
    return giftReading.split.isMarker(data) ? 0 : giftsOf(data).length;
  } catch {
    return 1;
  }
}
