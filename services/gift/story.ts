import type { Service } from "moleculer";
import type { StoredMsg } from "nats";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { fieldsOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { deadLetterSubject } from "../../mixins/jetstream/definitions.ts";
import { deadLetters, streamNames } from "../../mixins/jetstream/streams.ts";
import { type FilteredStream, firstWhere, sequenceAt, spanOf } from "../../mixins/jetstream/time-search.ts";
import { eventStream, giftStream } from "../streams.ts";
import { type AcceptedGift, giftTimeMs, parseAcceptedGift, partitionOf } from "./accepted-gift.ts";
import { recallAccepted } from "./accepted-orders.ts";
import { giftsOf } from "./gift-group.ts";
import type { GiftState } from "./gift-state.ts";
import { settlerDurable } from "./queue.ts";
import type { GiftOrderStory } from "./staff.contract.ts";
import { giftNameOf, storyOfRecord } from "./story-store.ts";

/**
 * Where an order is: in the books; else in the queue or in the dead letters. The settler writes the books before a
 * message leaves the queue, and a dead letter before it does. So what is in neither the queue nor the dead letters may be
 * settled in between, and the books are asked again, whether Redis knows it or not.
 */

type Searching = Pick<Service, "logger"> & Pick<GiftState, "mysql" | "records" | "redis" | "jetstream" | "signatures">;

/** Version 5 UUIDs are made of a request id (services/gift-order-id.ts). */
const madeOf = (orderId: string): GiftOrderStory["madeOf"] => (orderId[14] === "5" ? "requestId" : "random");

/**
 * See `gift.orderStory`. Where JetStream is away, the story of a settled order has no event; that of another one fails
 * with unavailable.
 */
export async function giftOrderStory(service: Searching, orderId: string): Promise<GiftOrderStory> {
  const settled = await settledStory(service, orderId);
  if (settled) return settled;
  const waiting = await waitingStory(service, orderId);
  if (waiting?.queue || waiting?.deadLetter) return waiting;
  const found = (await settledStory(service, orderId)) ?? waiting;
  if (!found) throw fail("giftOrderUnknown", { orderId });
  return found;
}

async function settledStory(service: Searching, orderId: string): Promise<GiftOrderStory | undefined> {
  const found = await service.records.first((db) => storyOfRecord(db, orderId));
  if (!found) return undefined;
  // The catalogue is on the home server alone.
  const recorded = { ...found, giftName: found.giftName ?? (await giftNameOf(service.mysql, found.giftId)) };
  const event = await eventOf(service, orderId, Date.parse(recorded.record.time)).catch((error: unknown) => {
    // The books tell everything else.
    if (!isUnavailable(error)) throw error;
    service.logger.warn(
      { err: error, orderId },
      "JetStream cannot be asked for the event of a gift: its story has none",
    );
    return null;
  });
  return { ...recorded, madeOf: madeOf(orderId), queue: null, deadLetter: null, event };
}

/**
 * The event of a settled gift, which is published right after its record is written: among the first ones from the
 * record's time on, and where the clocks differ from a margin before it on. That it is missing, or was dropped, the
 * messages with the margin say.
 */
async function eventOf(
  { jetstream: { manager } }: Searching,
  orderId: string,
  settledMs: number,
): Promise<NonNullable<GiftOrderStory["event"]>> {
  const stream = natsPrefix() + eventStream.name;
  const settled: FilteredStream = { stream, subject: `${natsPrefix()}event.gift.settled` };
  const fromMs = settledMs - limits.lookup.eventMarginMs;
  const span = await spanOf(manager, stream);
  const isIt = (message: StoredMsg) => settledOrders(message).includes(orderId);
  const lookFrom = async (ms: number) => {
    const begin = await sequenceAt(manager, settled, span, ms);
    return firstWhere(manager, settled, begin, { most: limits.lookup.eventsRead, isIt });
  };
  const first = await lookFrom(settledMs);
  const { found, ended } = first.found ? first : await lookFrom(fromMs);
  if (found) return { state: "done", sequence: found.seq, time: found.time.toISOString() };
  const isDropped = span.firstMs === undefined || span.firstMs > fromMs;
  const isRecent = Date.now() - settledMs < limits.lookup.eventAwaitedMs;
  if (first.ended && isRecent) return { ...noEvent, state: "waiting" };
  return { ...noEvent, state: ended && !isDropped ? "missing" : "notKept" };
}

const noEvent = { state: "waiting", sequence: null, time: null } as const;

/** The orders of a message of the event. */
function settledOrders(message: StoredMsg): unknown[] {
  const { gifts } = fieldsOf(fieldsOf(jsonOf(message))?.data) ?? {};
  return Array.isArray(gifts) ? gifts.map((gift) => fieldsOf(gift)?.orderId) : [];
}

function jsonOf(message: StoredMsg): unknown {
  try {
    return message.json();
  } catch {
    // Whoever may publish in the stream may have written it: it is of no order.
    return undefined;
  }
}

/** A gift of a message, with its time. */
interface FoundMessage {
  readonly gift: AcceptedGift;
  readonly message: StoredMsg;
  readonly timeMs: number;
}

async function waitingStory(service: Searching, orderId: string): Promise<GiftOrderStory | undefined> {
  const recalled = await recallAccepted(service.redis, orderId, service.signatures, service.logger);
  const queued = await inQueue(service, orderId, recalled);
  const dead = queued ? undefined : await inDeadLetters(service, orderId);
  const gift = queued?.gift ?? dead?.gift ?? recalled;
  if (!gift) return undefined;
  const timeMs = queued?.timeMs ?? dead?.timeMs;
  const { senderId, receiverId, roomId, giftId, count, price } = gift;
  return {
    ...{ orderId, madeOf: madeOf(orderId), senderId, receiverId, roomId, giftId, count, price },
    giftName: await giftNameOf(service.mysql, giftId),
    state: dead ? "deadLetter" : "waiting",
    accepted:
      timeMs === undefined
        ? { time: gift.acceptedAt, clock: "node" }
        : { time: new Date(timeMs).toISOString(), clock: "jetstream" },
    queue: queued ? { stream: queued.stream, sequence: queued.message.seq, before: queued.before } : null,
    deadLetter: dead
      ? {
          ...{ id: dead.message.seq, time: dead.message.time.toISOString() },
          reason: dead.message.header?.get("Dead-Reason") ?? "",
        }
      : null,
    record: null,
    event: noEvent,
  };
}

/**
 * The message of an order in the queue. With the gift from Redis it is looked for in the sender's stream from its
 * acceptance on; without it in the oldest messages of every stream.
 */
async function inQueue(
  service: Searching,
  orderId: string,
  recalled: AcceptedGift | undefined,
): Promise<(FoundMessage & { stream: string; before: number }) | undefined> {
  const { manager } = service.jetstream;
  const all = streamNames(giftStream);
  const streams = recalled ? [all[partitionOf(recalled.senderId)] as string] : all;
  const searches = streams.map(async (stream) => {
    const queue: FilteredStream = { stream, subject: ">" };
    const span = await spanOf(manager, stream);
    const fromMs = recalled ? Date.parse(recalled.acceptedAt) - limits.lookup.queueMarginMs : undefined;
    const begin = fromMs === undefined ? span.first : await sequenceAt(manager, queue, span, fromMs);
    const isIt = (message: StoredMsg) =>
      !service.signatures.faultOf(message.subject, message.data) && giftIn(message, orderId) !== undefined;
    const { found } = await firstWhere(manager, queue, begin, { most: limits.lookup.queueMessagesRead, isIt });
    const of = found && foundIn(found, orderId);
    return of && { ...of, stream: stream.slice(natsPrefix().length), before: of.message.seq - span.first };
  });
  return (await Promise.all(searches)).find((found) => found !== undefined);
}

/** The dead letter of an order, among those whose message a gift node signed; a forged one proves nothing. */
async function inDeadLetters(service: Searching, orderId: string): Promise<FoundMessage | undefined> {
  const { manager } = service.jetstream;
  const stream = natsPrefix() + deadLetters.name;
  const isIt = (message: StoredMsg) => giftIn(message, orderId) !== undefined;
  const most = limits.lookup.deadLettersRead;
  for (const proof of ["proven", "unknownKey"] as const) {
    const letters = { stream, subject: natsPrefix() + deadLetterSubject(settlerDurable, proof) };
    const { found } = await firstWhere(manager, letters, 1, { most, isIt });
    if (found) return foundIn(found, orderId);
  }
  return undefined;
}

function foundIn(message: StoredMsg, orderId: string): FoundMessage | undefined {
  const gift = giftIn(message, orderId);
  return gift && { gift, message, timeMs: giftTimeMs(gift, message.time.getTime()) };
}

/** The gift of an order in a message of the queue, or in its dead letter; `undefined` where it is not in it. */
function giftIn(message: StoredMsg, orderId: string): AcceptedGift | undefined {
  try {
    const gift = giftsOf(message.json()).find((one) => fieldsOf(one)?.orderId === orderId);
    return gift === undefined ? undefined : parseAcceptedGift(gift);
  } catch {
    // A marker, or a message that becomes a dead letter once it is read: it is of no order.
    return undefined;
  }
}
