import { outage } from "../../broker/failure.ts";
import { fieldsOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { imKeys } from "../im-keys.ts";

/** The orders that a frame of a room shows, and its number; `undefined` of a frame that shows no gifts. */
function shownGifts(frame: string): { orderIds: unknown[]; seq: number; epoch: string } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(frame);
  } catch {
    // Whoever may write the history may have put it there: it shows nothing.
    return undefined;
  }
  const { gifts, seq, epoch } = fieldsOf(fieldsOf(fieldsOf(parsed)?.body)?.data) ?? {};
  if (!Array.isArray(gifts) || !Number.isSafeInteger(seq) || typeof epoch !== "string") return undefined;
  const orderIds = gifts.flatMap((gift) => {
    const { orderIds: own } = fieldsOf(gift) ?? {};
    return Array.isArray(own) ? own : [];
  });
  return { orderIds, seq: seq as number, epoch };
}

/** The frame that showed a gift, in the room's history; `null` where it is not in it. Fails: unavailable. */
export async function giftFrame(
  redis: RedisState["redis"],
  roomId: number,
  orderId: string,
): Promise<{ seq: number; epoch: string } | null> {
  let frames: string[];
  try {
    frames = await redis.zrange(imKeys.roomLog(roomId), -limits.im.roomHistoryFrames, -1);
  } catch (error) {
    throw outage(error, { what: "the history of a room", roomId });
  }
  // A repeat is another frame: the first one showed the gift.
  for (const frame of frames) {
    if (!frame.includes(orderId)) continue;
    const shown = shownGifts(frame);
    if (shown?.orderIds.includes(orderId)) return { seq: shown.seq, epoch: shown.epoch };
  }
  return null;
}
