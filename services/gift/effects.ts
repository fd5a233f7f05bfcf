import type { Service } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import type { Books, ReceivedEvent } from "../durable-event.ts";
import { routerBucketOf } from "../im-buckets.ts";
import type { RoomGift } from "../im-router/im-router.contract.ts";
import type { SettledGift } from "./gift.contract.ts";
import { settledSince } from "./gift-store.ts";

type RoomGifts = { roomId: number; gifts: RoomGift[] };

/**
 * Has the rooms show the gifts that succeeded. Resolves once their frames are on their way to every node that has members
 * of the rooms. A repeat is shown once, since viewers go by the order ids. Fails: unavailable; repeat it then. Where the
 * router refuses a gift, the gifts beside it are shown, and then this rejects with the router's error.
 */
export async function showEffects(
  this: Service,
  { data, requestId }: Pick<ReceivedEvent<"gift.settled">, "data" | "requestId">,
): Promise<void> {
  const shown = data.gifts.filter(({ status }) => status === "succeeded");
  const buckets = Map.groupBy(shown, ({ roomId }) => routerBucketOf(roomId));
  const bounds = { count: limits.im.giftsPerCall, bytes: limits.bus.listBytes };
  const tooLarge = ({ orderId }: SettledGift, bytes: number) =>
    this.logger.error({ orderId, bytes }, "the effect of a gift is too large for a message: it is not shown");
  const shows = [...buckets].flatMap(([bucket, own]) =>
    cutList(own, bounds, tooLarge).map((gifts) => show(this, bucket, gifts, requestId)),
  );
  await allOf(shows);
}

async function show(
  service: Pick<Service, "broker">,
  bucket: number,
  gifts: readonly SettledGift[],
  requestID: string | undefined,
): Promise<void> {
  try {
    await call(service.broker, "im-router.roomGifts", { bucket, rooms: byRoom(gifts) }, { requestID });
  } catch (error) {
    if (isUnavailable(error) || gifts.length === 1) throw error;
    const half = Math.ceil(gifts.length / 2);
    await allOf([gifts.slice(0, half), gifts.slice(half)].map((some) => show(service, bucket, some, requestID)));
  }
}

/** Waits for all, and then rejects where one of them did: with an outage, if there was one. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(work)).flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (errors.length > 0) throw errors.find(isUnavailable) ?? errors[0];
}

/** For effects whose events were lost. */
export async function* settledFromBooks(
  this: Service & MysqlState,
  { since, read }: Books,
): AsyncGenerator<{ gifts: SettledGift[] }> {
  let cursor: string | undefined;
  let until: string | undefined;
  do {
    const page = await read(() => settledSince(this.mysql, { since, until, cursor }));
    if (page.gifts.length > 0) yield { gifts: page.gifts };
    cursor = page.nextCursor ?? undefined;
    until = page.until;
  } while (cursor !== undefined);
}

function byRoom(gifts: readonly SettledGift[]): RoomGifts[] {
  const rooms = Map.groupBy(gifts, ({ roomId }) => roomId);
  return [...rooms].map(([roomId, own]) => ({ roomId, gifts: own.map(toRoomGift) }));
}

function toRoomGift(settled: SettledGift): RoomGift {
  const { status: _status, reason: _reason, income: _income, incomePoints: _points, ...content } = settled;
  const { roomId: _room, type: _type, time: _time, ...gift } = content;
  return gift;
}
