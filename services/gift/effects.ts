import type { Service } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { tracerOf } from "../../broker/tracing/tracer.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import type { Books, ReceivedEvent } from "../durable-event.ts";
import { routerBucketOf } from "../im-buckets.ts";
import type { RoomGift } from "../im-router/im-router.contract.ts";
import type { Combo } from "./combos.ts";
import { type SettledGift, settledGiftBytes } from "./gift.contract.ts";
import type { GiftState } from "./gift-state.ts";

type RoomGifts = { roomId: number; gifts: RoomGift[]; traces?: string[] };
type ShownGift = { roomId: number; gift: RoomGift };

/**
 * Sends the effects of the gifts that succeeded to their rooms. Resolves once their frames are on their way to every
 * node with members of the rooms. A repeat is shown once, since viewers identify gifts by order id. Fails: unavailable;
 * then repeat it. Where the router refuses a gift, the others are shown, and then this rejects with the router's error.
 */
export async function showEffects(
  this: Service & GiftState,
  { data, requestId, traces }: Pick<ReceivedEvent<"gift.settled">, "data" | "requestId" | "traces">,
): Promise<void> {
  // Before anything is awaited: events are started in their order, and combos count in it.
  const shown = data.gifts
    .filter(({ status }) => status === "succeeded")
    .map((gift) => ({ roomId: gift.roomId, gift: toRoomGift(gift, this.combos.add(gift)) }));
  const buckets = Map.groupBy(shown, ({ roomId }) => routerBucketOf(roomId));
  const bounds = { count: limits.im.giftsPerCall, bytes: limits.bus.listBytes, bytesOf };
  const tooLarge = ({ gift }: ShownGift, bytes: number) =>
    this.logger.error(
      { orderId: gift.orderId, bytes },
      "the effect of a gift is too large for a message: it is not shown",
    );
  const spans = tracerOf(this.broker) && Spans.start(this.broker, "gift.effects", "consumer", traces);
  await during(spans, async () => {
    const shows = [...buckets].flatMap(([bucket, own]) =>
      cutList(own, bounds, tooLarge).map((gifts) => show(this, bucket, gifts, { requestID: requestId, spans })),
    );
    await allOf(shows);
  });
}

/** `showEffects`, and counts how long the gifts took from their acceptance. */
export async function showInTime(this: Service & GiftState, event: ReceivedEvent<"gift.settled">): Promise<void> {
  await showEffects.call(this, event);
  this.metrics.shown(event.data.gifts.filter(({ status }) => status === "succeeded"));
}

interface Circumstances {
  readonly requestID: string | undefined;
  readonly spans: Spans | undefined;
}

async function show(
  service: Pick<Service, "broker">,
  bucket: number,
  gifts: readonly ShownGift[],
  about: Circumstances,
): Promise<void> {
  const { requestID, spans } = about;
  try {
    await call(service.broker, "im-router.roomGifts", { bucket, rooms: byRoom(gifts, spans) }, { requestID });
  } catch (error) {
    if (isUnavailable(error) || gifts.length === 1) throw error;
    const half = Math.ceil(gifts.length / 2);
    await allOf([gifts.slice(0, half), gifts.slice(half)].map((some) => show(service, bucket, some, about)));
  }
}

/** Waits for all. If any rejected, rejects with an outage if there was one, else with the first error. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(work)).flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (errors.length > 0) throw errors.find(isUnavailable) ?? errors[0];
}

/** The gifts settled since a time, from the gift records, for events that were lost. */
export async function* settledFromBooks(
  this: Service & GiftState,
  { since, read }: Books,
): AsyncGenerator<{ gifts: SettledGift[] }> {
  let cursor: string | undefined;
  let until: string | undefined;
  do {
    const page = await read(() => this.records.settledSince({ since, until, cursor }));
    if (page.gifts.length > 0) yield { gifts: page.gifts };
    cursor = page.nextCursor ?? undefined;
    until = page.until;
  } while (cursor !== undefined);
}

const bytesOf = ({ gift }: ShownGift) => settledGiftBytes(gift);

function byRoom(gifts: readonly ShownGift[], spans: Spans | undefined): RoomGifts[] {
  const rooms = Map.groupBy(gifts, ({ roomId }) => roomId);
  return [...rooms].map(([roomId, own]) => {
    const traces = spans?.carried(own.map(({ gift }) => gift.orderId)).map(({ traceparent }) => traceparent);
    return { roomId, gifts: own.map(({ gift }) => gift), ...(traces?.length && { traces }) };
  });
}

function toRoomGift(gift: SettledGift, combo: Combo): RoomGift {
  const { orderId, senderId, receiverId, giftId, count, price, url } = gift;
  return { orderId, senderId, receiverId, giftId, count, price, url, combo };
}
