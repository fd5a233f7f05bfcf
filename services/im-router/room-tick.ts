import { fail } from "../../broker/failure.ts";
import { jsonBytes } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { type BusinessMessage, bizCodes, frameBytes, type UnnumberedFrame, unnumberedFrame } from "../im-frames.ts";
import type { RoomGift } from "./im-router.contract.ts";
import { type Lane, Share, type WaitingFrame } from "./room-backlog.ts";

export interface RoomGifts {
  roomId: number;
  gifts: readonly RoomGift[];
}

interface Merged {
  orderIds: string[];
  /** One of the orders' gifts: all are alike but for the order id. */
  like: RoomGift;
}

interface GiftSlot {
  share: Share;
  msgId: string;
  seen: Set<string>;
  merged: Map<string, Merged>;
}

type Slot = WaitingFrame | GiftSlot;

/** What gathers for one room. */
interface Gathered {
  slots: Slot[];
  gifts?: GiftSlot;
  shares: Map<Lane, Share>;
}

/** Counts viewers' chat that comes in; throws where there is too much of it. */
type EnterChat = (roomId: number, bytes: number) => void;

/** Of one frame of gifts. */
export interface FrameBounds {
  /** Order ids at the most. */
  readonly orders: number;
  /** Of its entries, as JSON in UTF-8; an entry with one order is far smaller. */
  readonly bytes: number;
}

/**
 * Orders are merged where they are alike in everything, the count of one order included: then each order id of an entry
 * is count / orderIds.length of it, and a viewer who gets an order again, merged with others, counts it right.
 */
function likeness({ orderId: _orderId, ...content }: RoomGift): string {
  return JSON.stringify(content);
}

/**
 * What gathers for the rooms during one tick. The messages of a room keep their order; its gifts become one frame where
 * the first of them came, or several where there are many.
 */
export class RoomTick {
  private readonly rooms = new Map<number, Gathered>();
  private readonly newMsgId: () => string;
  private readonly enterChat: EnterChat;
  /** Gifts and messages gathered so far, but viewers' chat. */
  size = 0;

  constructor(newMsgId: () => string, enterChat: EnterChat = () => {}) {
    this.newMsgId = newMsgId;
    this.enterChat = enterChat;
  }

  /**
   * Returns what the caller waits for. Nothing is added where it fails. Fails: messageTooLarge, where the message would be
   * larger than a room's frame may be; tooMany, where it is chat and too much of that waits.
   */
  addMessage(roomId: number, message: BusinessMessage): Share {
    const frame = unnumberedFrame(roomId, message);
    const bytes = frameBytes(frame);
    const most = limits.im.roomFrameBytes;
    if (bytes > most) throw fail("messageTooLarge", { roomId, msgId: message.msgId, bytes, most });
    const chat = message.bizCode === bizCodes.chat;
    if (chat) this.enterChat(roomId, bytes);
    else this.size++;
    const room = this.roomOf(roomId);
    const share = shareOf(room, chat ? "chat" : "first");
    share.size++;
    room.slots.push(share.frame(frame, bytes));
    return share;
  }

  /** Returns what the caller waits for. An order that is in the tick already is not added again. */
  addGifts({ roomId, gifts }: RoomGifts): Share {
    const room = this.roomOf(roomId);
    const slot = this.giftSlotOf(room);
    for (const gift of gifts) {
      if (slot.seen.has(gift.orderId)) continue;
      slot.seen.add(gift.orderId);
      this.size++;
      slot.share.size++;
      const key = likeness(gift);
      const merged = slot.merged.get(key);
      if (merged) merged.orderIds.push(gift.orderId);
      else slot.merged.set(key, { orderIds: [gift.orderId], like: gift });
    }
    return slot.share;
  }

  /** The frames, those of a room in their order. To be asked once, when the tick ends. */
  frames(bounds: FrameBounds): WaitingFrame[] {
    return [...this.rooms].flatMap(([roomId, { slots }]) =>
      slots.flatMap((slot) =>
        "merged" in slot ? giftFrames(roomId, slot, bounds).map((frame) => slot.share.frame(frame)) : [slot],
      ),
    );
  }

  /** What the callers wait for: a share for each room and lane. */
  shares(): Share[] {
    return [...this.rooms.values()].flatMap(({ shares }) => [...shares.values()]);
  }

  private roomOf(roomId: number): Gathered {
    let room = this.rooms.get(roomId);
    if (!room) {
      room = { slots: [], shares: new Map() };
      this.rooms.set(roomId, room);
    }
    return room;
  }

  private giftSlotOf(room: Gathered): GiftSlot {
    if (!room.gifts) {
      room.gifts = { share: shareOf(room, "first"), msgId: this.newMsgId(), seen: new Set(), merged: new Map() };
      room.slots.push(room.gifts);
    }
    return room.gifts;
  }
}

function shareOf({ shares }: Gathered, lane: Lane): Share {
  let share = shares.get(lane);
  if (!share) {
    share = new Share(lane);
    shares.set(lane, share);
  }
  return share;
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
  return pages.map((gifts, page) => {
    const msgId = page === 0 ? slot.msgId : `${slot.msgId}.${page}`;
    return unnumberedFrame(roomId, { msgId, userId: "0", bizCode: bizCodes.gift, data: { gifts } });
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
