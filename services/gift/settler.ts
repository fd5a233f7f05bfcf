import { hash } from "node:crypto";
import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { failures, isFailureName } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";
import type { ChannelMessage, JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import { durableEvent } from "../durable-event.ts";
import { routerBucketOf } from "../im-buckets.ts";
import type { RoomGift } from "../im-router/im-router.contract.ts";
import type { GiftCharge, GiftOutcome } from "../wallet/wallet.contract.ts";
import { bucketOf } from "../wallet-buckets.ts";
import type { AcceptedGift } from "./accepted-gift.ts";
import { forgetAccepted } from "./accepted-orders.ts";
import type { SettledGift } from "./gift.contract.ts";
import { insertRecords, type SettledRecord } from "./gift-store.ts";

type Settling = Service & MysqlState & RedisState & JetStreamState;

/** Where a test may throw, in the order of the steps. */
export type SettleStep = "charged" | "recorded" | "announced" | "shown";
export type Breakpoint = (step: SettleStep) => void | Promise<void>;

/**
 * Settles a batch of accepted gifts. Every step answers a repeat with its first outcome, so a crash anywhere before the
 * ack (which follows when this resolves) only makes the batch come again: the charge is idempotent by order id, the
 * record by its unique key, the event and the effect by the ids in them.
 */
export async function settle(
  service: Settling,
  messages: readonly ChannelMessage[],
  release: () => void,
  reached: Breakpoint,
): Promise<void> {
  const gifts = distinct(messages.map(({ data }) => data as AcceptedGift));
  // A batch is of many requests; the first stands for it in the logs of the services it calls.
  const requestID = messages[0]?.requestId;
  const outcomes = await charge(service, gifts, requestID);
  await reached("charged");
  const settled = gifts
    .filter(({ orderId }) => isFinal(outcomes.get(orderId)))
    .map((gift) => toRecord(gift, outcomes.get(gift.orderId) as GiftOutcome));
  await insertRecords(service.mysql, settled);
  await reached("recorded");
  // From here on the books answer for these orders.
  forgetAccepted(service.redis, gifts, service.logger as never);
  if (settled.length > 0) await announce(service, settled);
  await reached("announced");
  // What is left waits for the rooms' next tick.
  release();
  await Promise.all([showInRooms(service, settled, requestID), tellSenders(service, settled, requestID)]);
  await reached("shown");
}

/** The first message of an order counts: what it was accepted at is its price, whatever a later repeat says. */
function distinct(gifts: readonly AcceptedGift[]): AcceptedGift[] {
  const first = new Map<string, AcceptedGift>();
  for (const gift of gifts) if (!first.has(gift.orderId)) first.set(gift.orderId, gift);
  return [...first.values()];
}

/**
 * Whether an outcome is the order's own. A conflict means that the order was settled by an earlier message with other
 * content or another price: that one had the final word, and record, event and effects are its.
 */
function isFinal(outcome: GiftOutcome | undefined): boolean {
  return outcome !== undefined && outcome.reason !== "idempotencyConflict";
}

/**
 * The wallet's word on each gift, asked a bucket at a time. Fails: messageTooLarge, where a charge fits into no message:
 * without an outcome its gift would be acked and never settled, so it goes to the dead letters.
 */
async function charge(
  service: Settling,
  gifts: readonly AcceptedGift[],
  requestID: string | undefined,
): Promise<Map<string, GiftOutcome>> {
  const buckets = Map.groupBy(gifts, ({ senderId }) => bucketOf(senderId));
  const replies = await Promise.all(
    [...buckets].map(async ([bucket, own]) => {
      const outcomes: GiftOutcome[] = [];
      // One call after the other: gifts of one sender keep their order.
      for (const charges of chargeParts(own)) {
        const params = { bucket, gifts: charges };
        outcomes.push(...(await call(service.broker, "wallet.consumeForSendGift", params, { requestID })).outcomes);
      }
      return outcomes;
    }),
  );
  return new Map(replies.flat().map((outcome) => [outcome.orderId, outcome]));
}

function chargeParts(gifts: readonly AcceptedGift[]): GiftCharge[][] {
  const bounds = { count: limits.wallet.commandsPerCall, bytes: limits.bus.listBytes };
  return cutList(gifts.map(toCharge), bounds, ({ orderId }, bytes) => {
    throw fail("messageTooLarge", { orderId: orderId.slice(0, 100), bytes, most: limits.bus.listBytes });
  });
}

/**
 * Cuts a list into parts that fit into a message. `parseAcceptedGift` bounds the fields of a gift, so none is too large
 * alone; if one is all the same, it alone is left out, and an error is logged.
 */
function listParts<T extends object>(service: Settling, list: readonly T[], count: number): T[][] {
  return cutList(list, { count, bytes: limits.bus.listBytes }, (item, bytes) =>
    service.logger.error({ bytes, item: JSON.stringify(item).slice(0, 200) }, "too large for a message: left out"),
  );
}

function toRecord(gift: AcceptedGift, outcome: GiftOutcome): SettledRecord {
  const succeeded = outcome.status === "succeeded";
  const reason = succeeded ? null : (outcome.reason ?? "giftNotSent");
  return { gift, succeeded, reason, income: outcome.income, incomePoints: outcome.incomePoints };
}

function toCharge(gift: AcceptedGift): GiftCharge {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent } = gift;
  return { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent };
}

function toSettledGift({ gift, succeeded, reason, income, incomePoints }: SettledRecord): SettledGift {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, acceptedAt: time } = gift;
  const common = { orderId, senderId, receiverId, roomId, giftId, count, price, income, incomePoints, time };
  return succeeded
    ? Object.assign(common, { status: "succeeded" as const })
    : Object.assign(common, { status: "failed" as const, reason: reason ?? undefined });
}

async function announce(service: Settling, settled: readonly SettledRecord[]): Promise<void> {
  const parts = listParts(service, settled.map(toSettledGift), limits.gift.settleBatch);
  await Promise.all(
    parts.map((gifts) => {
      const ids = gifts.map(({ orderId }) => orderId);
      const key = hash("sha256", ids.join(","), "hex").slice(0, 32);
      const { subject, payload, msgId } = durableEvent("gift.settled", key, { gifts });
      return service.jetstream.publish(subject, payload, { msgId });
    }),
  );
}

/** Hands the effects to the router: returns once they are on their way to every node that has members of the rooms. */
async function showInRooms(
  service: Settling,
  settled: readonly SettledRecord[],
  requestID: string | undefined,
): Promise<void> {
  const shown = settled.filter(({ succeeded }) => succeeded).map(({ gift }) => toShown(gift));
  const buckets = Map.groupBy(shown, ({ roomId }) => routerBucketOf(roomId));
  await Promise.all(
    [...buckets].flatMap(([bucket, own]) =>
      listParts(service, own, limits.im.giftsPerCall).map((part) =>
        call(service.broker, "im-router.roomGifts", { bucket, rooms: byRoom(part) }, { requestID }),
      ),
    ),
  );
}

/** A gift with the room that it is shown in: at least as many bytes as it takes in the call. */
interface ShownGift {
  roomId: number;
  gift: RoomGift;
}

function toShown({ roomId, orderId, senderId, receiverId, giftId, count, price, url }: AcceptedGift): ShownGift {
  return { roomId, gift: { orderId, senderId, receiverId, giftId, count, price, url } };
}

function byRoom(shown: readonly ShownGift[]): { roomId: number; gifts: RoomGift[] }[] {
  const rooms = Map.groupBy(shown, ({ roomId }) => roomId);
  return [...rooms].map(([roomId, own]) => ({ roomId, gifts: own.map(({ gift }) => gift) }));
}

/** Tells each sender of a gift that failed, and why. */
async function tellSenders(
  service: Settling,
  settled: readonly SettledRecord[],
  requestID: string | undefined,
): Promise<void> {
  const notices = settled
    .filter(({ succeeded }) => !succeeded)
    .map(({ gift, reason }) => {
      const row = failures[isFailureName(reason) ? reason : "giftNotSent"];
      const data = { orderId: gift.orderId, msg: row.zh, code: row.code };
      return { userId: gift.senderId, msgId: `gift-failed-${gift.orderId}`, bizCode: 5557, data };
    });
  await Promise.all(
    listParts(service, notices, limits.im.notificationsPerCall).map((part) =>
      call(service.broker, "im-router.sendToUsers", { notifications: part }, { requestID }),
    ),
  );
}
