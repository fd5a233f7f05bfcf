import { bizCodes, type Notice, type UnnumberedFrame, unnumberedFrame } from "../im-frames.ts";
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

  addMessage(roomId: number, message: Notice): void {
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

  /** The frames, those of a room in their order. `ordersPerFrame` bounds the order ids of a frame. */
  frames(ordersPerFrame: number): UnnumberedFrame[] {
    return [...this.rooms].flatMap(([roomId, slots]) =>
      slots.flatMap((slot) =>
        "merged" in slot ? giftFrames(roomId, slot, ordersPerFrame) : [unnumberedFrame(roomId, slot)],
      ),
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

function giftFrames(roomId: number, slot: GiftSlot, ordersPerFrame: number): UnnumberedFrame[] {
  const pages: object[][] = [[]];
  let room = ordersPerFrame;
  for (const { orderIds, like } of slot.merged.values()) {
    const { orderId: _orderId, ...fields } = like;
    for (let from = 0; from < orderIds.length; ) {
      if (room === 0) {
        pages.push([]);
        room = ordersPerFrame;
      }
      const ids = orderIds.slice(from, from + room);
      pages.at(-1)?.push({ orderIds: ids, ...fields, count: like.count * ids.length });
      from += ids.length;
      room -= ids.length;
    }
  }
  const bizCode = slot.pk ? bizCodes.pkGift : bizCodes.gift;
  return pages.map((gifts, page) => {
    const msgId = page === 0 ? slot.msgId : `${slot.msgId}.${page}`;
    return unnumberedFrame(roomId, { msgId, userId: "0", bizCode, data: { gifts } });
  });
}
