import { fail } from "../../broker/failure.ts";
import { jsonBytes } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { bizCodes, frameBytes, type Notice, type UnnumberedFrame, unnumberedFrame } from "../im-frames.ts";
import type { RoomGift } from "./im-router.contract.ts";

export interface RoomGifts {
  roomId: number;
  pk: boolean;
  gifts: readonly RoomGift[];
}

interface Merged {
  orderIds: string[];
  /** One of the orders' gifts: all are alike but for the order id. */
  like: RoomGift;
}

interface GiftSlot {
  msgId: string;
  pk: boolean;
  seen: Set<string>;
  merged: Map<string, Merged>;
}

type Slot = Notice | GiftSlot;

/** Of one frame of gifts. */
export interface FrameBounds {
  /** Order ids at the most. */
  readonly orders: number;
  /** Of its entries, as JSON in UTF-8; an entry with one order is far smaller. */
  readonly bytes: number;
}

/**
 * Orders are merged where they are alike in everything, the count of one order included: then each order id of an entry
 * stands for count / orderIds.length, and a viewer who meets an order again, merged with others, counts it right.
 */
function likeness({ senderId, receiverId, giftId, count, price, url }: RoomGift): string {
  return JSON.stringify([senderId, receiverId, giftId, count, price, url]);
}

/**
 * What gathers for the rooms during one tick. The messages of a room keep their order; its gifts become one frame where
 * the first of them came, or several where there are many.
 */
export class RoomTick {
  private readonly rooms = new Map<number, Slot[]>();
  private readonly newMsgId: () => string;
  /** Gifts and messages gathered so far. */
  size = 0;

  constructor(newMsgId: () => string) {
    this.newMsgId = newMsgId;
  }

  /** Fails: messageTooLarge, where the message would be larger than a room's frame may be; nothing is added then. */
  addMessage(roomId: number, message: Notice): void {
    const bytes = jsonBytes(message);
    const most = limits.im.roomFrameBytes;
    if (bytes > most) throw fail("messageTooLarge", { roomId, msgId: message.msgId, bytes, most });
    this.slotsOf(roomId).push(message);
    this.size++;
  }

  /** An order that is in the tick already is not added again. */
  addGifts({ roomId, pk, gifts }: RoomGifts): void {
    const slot = this.giftSlotOf(roomId, pk);
    for (const gift of gifts) {
      if (slot.seen.has(gift.orderId)) continue;
      slot.seen.add(gift.orderId);
      this.size++;
      const key = likeness(gift);
      const merged = slot.merged.get(key);
      if (merged) merged.orderIds.push(gift.orderId);
      else slot.merged.set(key, { orderIds: [gift.orderId], like: gift });
    }
  }

  /** The frames, those of a room in their order. */
  frames(bounds: FrameBounds): UnnumberedFrame[] {
    return [...this.rooms].flatMap(([roomId, slots]) =>
      slots.flatMap((slot) => ("merged" in slot ? giftFrames(roomId, slot, bounds) : [unnumberedFrame(roomId, slot)])),
    );
  }

  private slotsOf(roomId: number): Slot[] {
    let slots = this.rooms.get(roomId);
    if (!slots) {
      slots = [];
      this.rooms.set(roomId, slots);
    }
    return slots;
  }

  private giftSlotOf(roomId: number, pk: boolean): GiftSlot {
    const slots = this.slotsOf(roomId);
    let slot = slots.find((other): other is GiftSlot => "merged" in other && other.pk === pk);
    if (!slot) {
      slot = { msgId: this.newMsgId(), pk, seen: new Set(), merged: new Map() };
      slots.push(slot);
    }
    return slot;
  }
}

function giftFrames(roomId: number, slot: GiftSlot, bounds: FrameBounds): UnnumberedFrame[] {
  const pages: object[][] = [[]];
  let left = { ...bounds };
  for (const { orderIds, like } of slot.merged.values()) {
    const { orderId: _orderId, ...fields } = like;
    const entryBytes = jsonBytes({ orderIds: [], ...fields, count: Number.MAX_SAFE_INTEGER }) + 1;
    for (let from = 0; from < orderIds.length; ) {
      const ids = idsThatFit(orderIds, from, { orders: left.orders, bytes: left.bytes - entryBytes });
      if (ids.length === 0 && pages.at(-1)?.length !== 0) {
        pages.push([]);
        left = { ...bounds };
        continue;
      }
      // An entry that exceeds the bound alone is in a frame of its own: nothing is left out.
      const taken = ids.length > 0 ? ids : orderIds.slice(from, from + 1);
      pages.at(-1)?.push({ orderIds: taken, ...fields, count: like.count * taken.length });
      from += taken.length;
      left = { orders: left.orders - taken.length, bytes: left.bytes - entryBytes - bytesOf(taken) };
    }
  }
  const bizCode = slot.pk ? bizCodes.pkGift : bizCodes.gift;
  return pages.map((gifts, page) => {
    const msgId = page === 0 ? slot.msgId : `${slot.msgId}.${page}`;
    return unnumberedFrame(roomId, { msgId, userId: "0", bizCode, data: { gifts } });
  });
}

const bytesOf = (ids: readonly string[]) => ids.reduce((sum, id) => sum + jsonBytes(id) + 1, 0);

function idsThatFit(orderIds: readonly string[], from: number, { orders, bytes }: FrameBounds): string[] {
  let left = bytes;
  let to = from;
  while (to < orderIds.length && to - from < orders) {
    left -= jsonBytes(orderIds[to]) + 1;
    if (left < 0) break;
    to++;
  }
  return orderIds.slice(from, to);
}

/**
 * Splits frames into those that go out in this tick and those that wait for the next: at most `bytesPerRoom` of each
 * room, in order, and at least one frame. So a burst of one room neither overruns its viewers nor delays other rooms.
 */
export function limitPerRoom<Frame extends UnnumberedFrame>(
  frames: readonly Frame[],
  bytesPerRoom: number,
): { now: Frame[]; later: Frame[] } {
  const now: Frame[] = [];
  const later: Frame[] = [];
  const sent = new Map<number, number>();
  for (const frame of frames) {
    const before = sent.get(frame.roomId) ?? 0;
    const after = before + frameBytes(frame);
    const fits = before === 0 || after <= bytesPerRoom;
    (fits ? now : later).push(frame);
    sent.set(frame.roomId, fits ? after : Number.POSITIVE_INFINITY);
  }
  return { now, later };
}
