import { type Fields, fieldsOf } from "../../broker/unknown-values.ts";
import { bizCodes, highestCombo, type ShownCombo } from "../im-frames.ts";
import { battleV2, scoresV2 } from "./battle-frames-v2.ts";

/**
 * Version 2 of the protocol, made from frames of version 1: the same frames without what a client can get elsewhere.
 * docs/im.md describes it for clients. Pure, and never throws: text of an unexpected shape stays as it is, so that
 * nothing in it is lost.
 */

const tagChars = 12;

/**
 * The tag of an order: the last characters of its id (the last group of a UUID). With the sender it identifies the order
 * in a room.
 */
export function orderTag(orderId: string): string {
  return orderId.slice(-tagChars);
}

/**
 * The orders of one sender, gift and receiver: sender, gift id, then a number of pieces and the tags of the orders that
 * have so many, then another number and its tags. A last number without tags is the count of the combo, the highest of
 * the entries: with an id a tick of 50 senders would be 5 % larger when it is compressed, and clients know a new streak
 * without one. The last element may be an object: `to`, the receiver where that is not the room's anchor, and the further
 * fields of the entry of version 1.
 */
export type GiftItem = [senderId: string, giftId: number, ...rest: (number | string | Fields)[]];

/** A frame of a room, the same for all its members. `anchorId` is the anchor of the room. */
export function roomFrameV2(frame: string, anchorId: string): string {
  return withBody(frame, ({ appId: _app, userId, msgId, bizCode, data, ...others }) => {
    const fields = fieldsOf(data);
    if (!fields) return undefined;
    const { roomId: _room, senderId, ...own } = fields;
    const isGift = bizCode === bizCodes.gift && Array.isArray(own.gifts);
    const isScores = bizCode === bizCodes.battleScores;
    return {
      // Gifts are identified by their orders, and newer scores replace older ones. Other messages may be referred to by
      // later ones.
      msgId: isGift || isScores ? undefined : msgId,
      userId: userId === "0" ? undefined : userId,
      bizCode,
      ...others,
      data: {
        ...(isScores ? scoresV2(own) : bizCode === bizCodes.battleState ? battleV2(own) : own),
        senderId: senderId === userId ? undefined : senderId,
        ...(isGift ? { gifts: giftItems(own.gifts as unknown[], anchorId) } : {}),
      },
    };
  });
}

/** A notification to one user, who is the receiver. */
export function notificationFrameV2(frame: string): string {
  return withBody(frame, ({ appId: _app, userId: _user, ...body }) => body);
}

function withBody(frame: string, change: (body: Fields) => Fields | undefined): string {
  const parsed = fieldsOf(parse(frame));
  const body = fieldsOf(parsed?.body);
  const changed = body && change(body);
  return changed ? JSON.stringify({ ...parsed, body: changed }) : frame;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // JSON text is never parsed to undefined.
  }
}

/** The orders of an item by the number of pieces of one order. */
interface Gathered {
  senderId: string;
  giftId: number;
  more: Fields;
  combo: ShownCombo | undefined;
  tags: Map<number, string[]>;
}

function giftItems(entries: readonly unknown[], anchorId: string): unknown[] {
  const items = new Map<string, Gathered>();
  const others: unknown[] = [];
  for (const entry of entries) {
    const gift = readEntry(entry);
    if (!gift) {
      others.push(entry);
      continue;
    }
    const { senderId, receiverId, giftId, orderIds, each, combo, further } = gift;
    const more = receiverId === anchorId ? further : { to: receiverId, ...further };
    const key = `${senderId} ${giftId} ${hasFields(more) ? JSON.stringify(more) : ""}`;
    let item = items.get(key);
    if (!item) {
      item = { senderId, giftId, more, combo, tags: new Map() };
      items.set(key, item);
    } else item.combo = highestCombo(item.combo, combo);
    const tags = orderIds.map(orderTag);
    const alike = item.tags.get(each);
    if (alike) alike.push(...tags);
    else item.tags.set(each, tags);
  }
  return [...[...items.values()].map(itemOf), ...others];
}

function itemOf({ senderId, giftId, more, combo, tags }: Gathered): GiftItem {
  const item: GiftItem = [senderId, giftId];
  for (const [each, alike] of tags) item.push(each, ...alike);
  if (combo) item.push(combo.count);
  if (hasFields(more)) item.push(more);
  return item;
}

function hasFields(fields: Fields): boolean {
  for (const _name in fields) return true;
  return false;
}

/** An entry of version 1; `each` is the number of pieces of one of its orders. `undefined` for anything else. */
function readEntry(entry: unknown) {
  const { orderIds, senderId, receiverId, giftId, count, price: _price, url: _url, ...further } = fieldsOf(entry) ?? {};
  if (!Array.isArray(orderIds) || !orderIds.every((id) => typeof id === "string")) return undefined;
  if (typeof senderId !== "string" || typeof receiverId !== "string" || typeof giftId !== "number") return undefined;
  const each = Number(count) / orderIds.length;
  if (typeof count !== "number" || !Number.isSafeInteger(each) || each < 1) return undefined;
  const { combo, ...others } = further;
  const own = { orderIds: orderIds as string[], senderId, receiverId, giftId, each };
  return isCombo(combo) ? { ...own, combo, further: others } : { ...own, combo: undefined, further };
}

function isCombo(value: unknown): value is ShownCombo {
  const { id, count, ...others } = fieldsOf(value) ?? {};
  return typeof id === "string" && typeof count === "number" && !hasFields(others);
}
