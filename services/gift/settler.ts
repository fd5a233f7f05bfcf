import { hash } from "node:crypto";
import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { tracerOf } from "../../broker/tracing/tracer.ts";
import { limits } from "../../config/limits.ts";
import type { ChannelMessage, JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import { durableEvent } from "../durable-event.ts";
import type { GiftCharge, GiftOutcome } from "../wallet/wallet.contract.ts";
import { bucketOf } from "../wallet-buckets.ts";
import { type AcceptedGift, giftTimeMs } from "./accepted-gift.ts";
import { forgetAccepted } from "./accepted-orders.ts";
import { type RecordedGift, settledGiftBytes } from "./gift.contract.ts";
import type { GiftMetrics } from "./gift-metrics.ts";
import type { RecordServers } from "./record-servers.ts";
import { insertRecords, type SettledRecord, type StoredRecord, toSettledGift } from "./record-writes-store.ts";

type Settling = Service & RedisState & JetStreamState & { metrics: GiftMetrics; records: RecordServers };

/** The steps at which a test may throw, in their order. */
export type SettleStep = "charged" | "recorded" | "published";
export type Breakpoint = (step: SettleStep) => void | Promise<void>;

/**
 * Settles a batch of accepted gifts: charge, record, publish `gift.settled`. The batch is acked when this resolves.
 * Each step is idempotent: the charge and the record by order id, the event's consumers by the order ids in it. After a
 * crash before the ack the batch is delivered again. Whatever follows a gift is a consumer of the event.
 */
export async function settle(
  service: Settling,
  messages: readonly ChannelMessage[],
  reached: Breakpoint,
): Promise<void> {
  const times = timesOf(messages);
  const spans = spansOf(service, messages, times.size);
  await during(spans, () => settleGifts(service, times, { requestID: messages[0]?.requestId, spans, reached }));
}

/** A span for each gift of the batch that is traced. The headers of the messages are read only where this node traces. */
function spansOf({ broker }: Settling, messages: readonly ChannelMessage[], gifts: number): Spans | undefined {
  if (!tracerOf(broker)) return undefined;
  const orders = new Set(messages.map(({ data }) => (data as AcceptedGift).orderId));
  // Each gift shows all traces of its message.
  const distinct = new Map(messages.map((message) => [`${message.subject} ${message.sequence}`, message])).values();
  const carried = Array.from(distinct, ({ traces }) => traces.filter(({ key }) => orders.has(key))).flat();
  return Spans.start(broker, "gift.settle", "consumer", carried, { "ovation.batch": gifts });
}

interface Circumstances {
  /** A batch has gifts of many requests; calls to other services use the id of the first. */
  readonly requestID: string | undefined;
  readonly spans: Spans | undefined;
  readonly reached: Breakpoint;
}

async function settleGifts(
  service: Settling,
  times: ReadonlyMap<AcceptedGift, Date>,
  { requestID, spans, reached }: Circumstances,
): Promise<void> {
  const gifts = [...times.keys()];
  const charging = spans?.part("gift.charge", "client");
  const outcomes = await during(charging, () => charge(service, gifts, { requestID, spans: charging }));
  await reached("charged");
  const settled = gifts
    .filter(({ orderId }) => isFinal(outcomes.get(orderId)))
    .map((gift) => toRecord(gift, times.get(gift) as Date, outcomes.get(gift.orderId) as GiftOutcome));
  const stored = await during(spans?.part("gift.record", "client"), () => writeRecords(service, settled, outcomes));
  await reached("recorded");
  // The books have these orders now.
  forgetAccepted(service.redis, gifts, service.logger);
  const publishing = settled.length > 0 ? spans?.part("gift.publishSettled", "producer") : undefined;
  await during(publishing, async () => {
    if (settled.length > 0) await publishSettled(service, toEvent(settled, stored), { requestID, spans: publishing });
  });
  await reached("published");
  count(service, settled, times);
}

/** Writes each record on the server of its charge. What the books have of each gift, in the order of the gifts. */
async function writeRecords(
  { records }: Settling,
  settled: readonly SettledRecord[],
  outcomes: ReadonlyMap<string, GiftOutcome>,
): Promise<StoredRecord[]> {
  const serverOf = ({ gift }: SettledRecord) => outcomes.get(gift.orderId)?.server;
  const stored = new Array<StoredRecord>(settled.length);
  const groups = Map.groupBy(settled.keys(), (at) => serverOf(settled[at] as SettledRecord));
  await Promise.all(
    [...groups].map(async ([server, places]) => {
      const own = places.map((at) => settled[at] as SettledRecord);
      const written = await insertRecords(records.named(server), own);
      for (const [n, at] of places.entries()) stored[at] = written[n] as StoredRecord;
    }),
  );
  return stored;
}

function count({ metrics }: Settling, settled: readonly SettledRecord[], times: ReadonlyMap<unknown, Date>): void {
  const succeeded = settled.reduce((sum, one) => sum + (one.succeeded ? 1 : 0), 0);
  const acceptedMs = Array.from(times.values(), (time) => time.getTime());
  metrics.settled({ succeeded, failed: settled.length - succeeded }, acceptedMs);
}

/**
 * The gifts of the messages with their times, in their order. The first message of an order counts: its price is the
 * order's, also if a repeat has another. All gifts of a message have its time by JetStream, whatever the clocks of nodes
 * say; a gift that was a dead letter has the time of its first message.
 */
function timesOf(messages: readonly ChannelMessage[]): Map<AcceptedGift, Date> {
  const seen = new Set<string>();
  const dates = new Map<number, Date>();
  const times = new Map<AcceptedGift, Date>();
  for (const message of messages) {
    const gift = message.data as AcceptedGift;
    if (seen.has(gift.orderId)) continue;
    seen.add(gift.orderId);
    const ms = giftTimeMs(gift, message.storedAtMs);
    const date = dates.get(ms) ?? new Date(ms);
    dates.set(ms, date);
    times.set(gift, date);
  }
  return times;
}

/**
 * Whether an outcome is of this message. A conflict means that the order was settled by an earlier message with other
 * content or another price. Record, event and effects are of that message.
 */
function isFinal(outcome: GiftOutcome | undefined): boolean {
  return outcome !== undefined && outcome.reason !== "idempotencyConflict";
}

/**
 * The wallet's outcome for each gift, with one call for each bucket. Fails: messageTooLarge, where a charge fits into
 * no message. Then the gift becomes a dead letter; without an outcome it would be acked and never settled.
 */
async function charge(
  service: Settling,
  gifts: readonly AcceptedGift[],
  { requestID, spans }: Pick<Circumstances, "requestID" | "spans">,
): Promise<Map<string, GiftOutcome>> {
  const buckets = Map.groupBy(gifts, ({ senderId }) => bucketOf(senderId));
  const replies = await Promise.all(
    [...buckets].map(async ([bucket, own]) => {
      const outcomes: GiftOutcome[] = [];
      // One call after the other: gifts of one sender keep their order.
      for (const charges of chargeParts(own)) {
        const params = { bucket, gifts: charges };
        const about = { requestID, ...spans?.callOptions(charges.map(({ orderId }) => orderId)) };
        outcomes.push(...(await call(service.broker, "wallet.consumeForSendGift", params, about)).outcomes);
      }
      return outcomes;
    }),
  );
  return new Map(replies.flat().map((outcome) => [outcome.orderId, outcome]));
}

function chargeParts(gifts: readonly AcceptedGift[]): GiftCharge[][] {
  const bounds = { count: limits.wallet.commandsPerCall, bytes: limits.bus.listBytes, bytesOf: chargeBytes };
  return cutList(gifts.map(toCharge), bounds, ({ orderId }, bytes) => {
    throw fail("messageTooLarge", { orderId: orderId.slice(0, 100), bytes, most: limits.bus.listBytes });
  });
}

/** At the most, as JSON in UTF-8 without escapes. */
const chargeBytes = ({ orderId }: GiftCharge) => 250 + Buffer.byteLength(orderId);

function toRecord(gift: AcceptedGift, time: Date, outcome: GiftOutcome): SettledRecord {
  const succeeded = outcome.status === "succeeded";
  const reason = succeeded ? null : (outcome.reason ?? "giftNotSent");
  const { income, incomePoints, repeated = false } = outcome;
  return { gift, time, succeeded, reason, income, incomePoints, repeated };
}

function toCharge(gift: AcceptedGift): GiftCharge {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent } = gift;
  return { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent };
}

/** The gifts as in the event. Of a gift that an earlier delivery recorded, id and time are those of its record. */
function toEvent(settled: readonly SettledRecord[], stored: readonly StoredRecord[]): RecordedGift[] {
  const texts = new Map<Date, string>();
  return settled.map((record, at) => {
    const { recordId, time } = stored[at] as StoredRecord;
    const text = texts.get(time) ?? time.toISOString();
    texts.set(time, text);
    return toSettledGift(record, recordId, text);
  });
}

/**
 * Publishes one message, or several where the batch is too large for one. Durable when it resolves. Gifts of one sender
 * are in the stream in the order of their settlement, since two batches with one sender are never in progress at once.
 */
async function publishSettled(
  service: Settling,
  settled: readonly RecordedGift[],
  { requestID, spans }: Pick<Circumstances, "requestID" | "spans">,
): Promise<void> {
  const bounds = { count: limits.gift.settleBatch, bytes: limits.bus.listBytes, bytesOf: settledGiftBytes };
  const parts = cutList(settled, bounds, ({ orderId }, bytes) => {
    throw fail("messageTooLarge", { orderId: orderId.slice(0, 100), bytes, most: limits.bus.listBytes });
  });
  // One after the other: a part that has to be published again must not be overtaken by the next one.
  for (const gifts of parts) {
    const ids = gifts.map(({ orderId }) => orderId);
    const key = hash("sha256", ids.join(","), "hex").slice(0, 32);
    const { subject, payload, msgId } = durableEvent("gift.settled", key, { gifts });
    const traces = spans?.carried(ids);
    await service.jetstream.publish(subject, payload, { msgId, requestId: requestID ?? null, traces });
  }
}
