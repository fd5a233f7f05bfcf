import { fail } from "../../broker/failure.ts";
import { jsonBytes } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import {
  type BusinessMessage,
  bizCodes,
  frameBytes,
  highestCombo,
  type UnnumberedFrame,
  unnumberedFrame,
} from "../im-frames.ts";
import type { RoomGift } from "./im-router.contract.ts";
import { type Lane, Share, type WaitingFrame } from "./room-backlog.ts";

export interface RoomGifts {
  roomId: number;
  gifts: readonly RoomGift[];
  /** The traces of these gifts: they go on with the room's frames. */
  traces?: readonly string[] | undefined;
}

interface Merged {
  orderIds: string[];
  /** One of the gifts; all are equal except for order id and combo. */
  like: RoomGift;
  combo: RoomGift["combo"];
}

interface GiftPart {
  share: Share;
  msgId: string;
  seen: Set<string>;
  merged: Map<string, Merged>;
}

type Part = WaitingFrame | GiftPart;

/** The messages and gifts of one room in this tick. */
interface RoomContent {
  parts: Part[];
  gifts?: GiftPart;
  shares: Map<Lane, Share>;
}

/** Counts viewers' chat on arrival; throws where too much of it waits. */
type EnterChat = (roomId: number, bytes: number) => void;

/** The bounds of one frame of gifts. */
export interface FrameBounds {
  /** The most order ids. */
  readonly orders: number;
  /** The most bytes of its entries, as JSON in UTF-8. An entry with one order is far smaller. */
  readonly bytes: number;
}

/**
 * Orders are merged where everything but their combos is equal, including the count of one order. So each order id of an
 * entry is count / orderIds.length gifts, and a viewer who gets an order again, merged with others, counts it correctly.
 */
function likeness({ orderId: _orderId, combo: _combo, ...content }: RoomGift): string {
  return JSON.stringify(content);
}

/**
 * The messages and gifts for all rooms during one tick. A room's messages keep their order. Its gifts become one frame,
 * or several where there are many, in the place of the first gift.
 */
export class RoomTick {
  private readonly rooms = new Map<number, RoomContent>();
  private readonly newMsgId: () => string;
  private readonly enterChat: EnterChat;
  /** Gifts and messages in this tick, without viewers' chat. */
  size = 0;

  constructor(newMsgId: () => string, enterChat: EnterChat = () => {}) {
    this.newMsgId = newMsgId;
    this.enterChat = enterChat;
  }

  /**
   * Returns the share that the caller waits for. Nothing is added where it fails. Fails: messageTooLarge, where the
   * message exceeds a room's frame; tooMany, where it is chat and too much chat waits.
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
    room.parts.push(share.frame(frame, bytes));
    return share;
  }

  /** Returns the share that the caller waits for. An order that is in the tick already is not added again. */
  addGifts({ roomId, gifts, traces }: RoomGifts): Share {
    const room = this.roomOf(roomId);
    const part = this.giftPartOf(room);
    if (traces) part.share.carry(traces);
    for (const gift of gifts) {
      if (part.seen.has(gift.orderId)) continue;
      part.seen.add(gift.orderId);
      this.size++;
      part.share.size++;
      const key = likeness(gift);
      const merged = part.merged.get(key);
      if (merged) {
        merged.orderIds.push(gift.orderId);
        merged.combo = highestCombo(merged.combo, gift.combo);
      } else part.merged.set(key, { orderIds: [gift.orderId], like: gift, combo: gift.combo });
    }
    return part.share;
  }

  /** The frames, those of a room in their order. Call it once, when the tick ends. */
  frames(bounds: FrameBounds): WaitingFrame[] {
    return [...this.rooms].flatMap(([roomId, { parts }]) =>
      parts.flatMap((part) =>
        "merged" in part ? giftFrames(roomId, part, bounds).map((frame) => part.share.frame(frame)) : [part],
      ),
    );
  }

  /** The shares of this tick: one for each room and lane. */
  shares(): Share[] {
    return [...this.rooms.values()].flatMap(({ shares }) => [...shares.values()]);
  }

  private roomOf(roomId: number): RoomContent {
    let room = this.rooms.get(roomId);
    if (!room) {
      room = { parts: [], shares: new Map() };
      this.rooms.set(roomId, room);
    }
    return room;
  }

  private giftPartOf(room: RoomContent): GiftPart {
    if (!room.gifts) {
      room.gifts = { share: shareOf(room, "first"), msgId: this.newMsgId(), seen: new Set(), merged: new Map() };
      room.parts.push(room.gifts);
    }
    return room.gifts;
  }
}

function shareOf({ shares }: RoomContent, lane: Lane): Share {
  let share = shares.get(lane);
  if (!share) {
    share = new Share(lane);
    shares.set(lane, share);
  }
  return share;
}

function giftFrames(roomId: number, part: GiftPart, bounds: FrameBounds): UnnumberedFrame[] {
  const pages: object[][] = [[]];
  let left = { ...bounds };
  for (const { orderIds, like, combo } of part.merged.values()) {
    const { orderId: _orderId, combo: _combo, ...content } = like;
    const fields = combo ? { ...content, combo } : content;
    const entryBytes = jsonBytes({ orderIds: [], ...fields, count: Number.MAX_SAFE_INTEGER }) + 1;
    for (let from = 0; from < orderIds.length; ) {
      const ids = idsThatFit(orderIds, from, { orders: left.orders, bytes: left.bytes - entryBytes });
      if (ids.length === 0 && pages.at(-1)?.length !== 0) {
        pages.push([]);
        left = { ...bounds };
        continue;
      }
      // An entry that exceeds the bound alone gets a frame of its own: nothing is left out.
      const taken = ids.length > 0 ? ids : orderIds.slice(from, from + 1);
      pages.at(-1)?.push({ orderIds: taken, ...fields, count: like.count * taken.length });
      from += taken.length;
      left = { orders: left.orders - taken.length, bytes: left.bytes - entryBytes - bytesOf(taken) };
    }
  }
  return pages.map((gifts, page) => {
    const msgId = page === 0 ? part.msgId : `${part.msgId}.${page}`;
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
