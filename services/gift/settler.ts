import { hash } from "node:crypto";
import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { tracerOf } from "../../broker/tracing/tracer.ts";
import { limits } from "../../config/limits.ts";
import type { ChannelMessage, JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import type { GiftOutcome } from "../wallet/wallet.contract.ts";
import { type AcceptedGift, giftTimeMs } from "./accepted-gift.ts";
import { forgetAccepted } from "./accepted-orders.ts";
import { charge } from "./charge.ts";
import { type RecordedGift, settledGiftBytes } from "./gift.contract.ts";
import type { GiftMetrics } from "./gift-metrics.ts";
import { HeldSenders } from "./held-senders.ts";
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
 *
 * Where something is away that only some senders need, e.g. the server of their ledgers, the gifts of the others are
 * settled, and this rejects with SomeNotHandled. Gifts of one sender stand or fall together, so that they keep their order:
 * nothing of hers is published before all of hers is recorded.
 */
export async function settle(
  service: Settling,
  messages: readonly ChannelMessage[],
  reached: Breakpoint,
): Promise<void> {
  const times = timesOf(messages);
  const spans = spansOf(service, messages, times.size);
  const held = new HeldSenders();
  await during(spans, () => settleGifts(service, times, { requestID: messages[0]?.requestId, spans, reached, held }));
  held.throwFor(messages);
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
  readonly held: HeldSenders;
}

async function settleGifts(
  service: Settling,
  times: ReadonlyMap<AcceptedGift, Date>,
  { requestID, spans, reached, held }: Circumstances,
): Promise<void> {
  const gifts = [...times.keys()];
  const charging = spans?.part("gift.charge", "client");
  const outcomes = await during(charging, () => charge(service, gifts, { requestID, spans: charging, held }));
  if (gifts.every((gift) => held.has(gift))) return;
  await reached("charged");
  const charged = gifts
    .filter((gift) => !held.has(gift) && isFinal(outcomes.get(gift.orderId)))
    .map((gift) => toRecord(gift, times.get(gift) as Date, outcomes.get(gift.orderId) as GiftOutcome));
  const stored = await during(spans?.part("gift.record", "client"), () =>
    writeRecords(service, charged, { outcomes, held }),
  );
  await reached("recorded");
  const ended = gifts.filter((gift) => !held.has(gift));
  // The books have these orders now.
  if (ended.length > 0) forgetAccepted(service.redis, ended, service.logger);
  const settled = charged.filter(({ gift }) => !held.has(gift));
  const publishing = settled.length > 0 ? spans?.part("gift.publishSettled", "producer") : undefined;
  await during(publishing, async () => {
    if (settled.length > 0) await publishSettled(service, toEvent(settled, stored), { requestID, spans: publishing });
  });
  await reached("published");
  count(
    service,
    settled,
    ended.map((gift) => times.get(gift) as Date),
  );
}

/** Writes each record on the server of its charge. Returns what the books have of the gifts. */
async function writeRecords(
  { records }: Settling,
  charged: readonly SettledRecord[],
  { outcomes, held }: { readonly outcomes: ReadonlyMap<string, GiftOutcome>; readonly held: HeldSenders },
): Promise<Map<SettledRecord, StoredRecord>> {
  const stored = new Map<SettledRecord, StoredRecord>();
  const groups = Map.groupBy(charged, ({ gift }) => outcomes.get(gift.orderId)?.server);
  await Promise.all(
    [...groups].map(async ([server, own]) => {
      try {
        const written = await records.at(server, (db) => insertRecords(db, own));
        for (const [n, record] of own.entries()) stored.set(record, written[n] as StoredRecord);
      } catch (error) {
        held.add(
          own.map(({ gift }) => gift.senderId),
          error,
        );
      }
    }),
  );
  return stored;
}

function count({ metrics }: Settling, settled: readonly SettledRecord[], times: readonly Date[]): void {
  const succeeded = settled.reduce((sum, one) => sum + (one.succeeded ? 1 : 0), 0);
  const acceptedMs = times.map((time) => time.getTime());
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

function toRecord(gift: AcceptedGift, time: Date, outcome: GiftOutcome): SettledRecord {
  const succeeded = outcome.status === "succeeded";
  const reason = succeeded ? null : (outcome.reason ?? "giftNotSent");
  const { income, incomePoints, repeated = false } = outcome;
  return { gift, time, succeeded, reason, income, incomePoints, repeated };
}

/** The gifts as in the event. Of a gift that an earlier delivery recorded, id and time are those of its record. */
function toEvent(settled: readonly SettledRecord[], stored: ReadonlyMap<SettledRecord, StoredRecord>): RecordedGift[] {
  const texts = new Map<Date, string>();
  return settled.map((record) => {
    const { recordId, time } = stored.get(record) as StoredRecord;
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
