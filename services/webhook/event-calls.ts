import { createHash } from "node:crypto";
import { limits } from "../../config/limits.ts";
import { Unreadable } from "../../mixins/jetstream/unreadable.ts";
import { type ExternalIds, idsNamedIn, withExternalIds } from "../external-names.ts";
import type { OrderBy } from "./webhook.contract.ts";

/** What is posted of an event. Pure. */

export interface ReceivedEvent {
  readonly id: string;
  readonly name: string;
  /** ISO. */
  readonly time: string;
  readonly data: object;
}

/** One call: an event, or part of one. */
export interface EventCall {
  /** The header webhook-id, derived from the event's id, so that a repeat of the event makes the same call. */
  readonly messageId: string;
  readonly event: string;
  readonly body: string;
  /** Of the body in UTF-8. */
  readonly bytes: number;
  /** The room or user in whose order it is made; "" for none. */
  readonly orderKey: string;
}

interface Gifts {
  readonly gifts: readonly { readonly roomId: number; readonly senderId: string }[];
}

const hasGifts = (data: object): data is Gifts => Array.isArray((data as { gifts?: unknown }).gifts);

type Named = { readonly roomId?: number; readonly userId?: string; readonly anchorId?: string };

/** The first room or user that an event names. */
function keyOf(data: object, orderBy: OrderBy): string {
  const { sides = [] } = data as { sides?: readonly Named[] };
  const [named] = [data as Named, ...sides].filter(({ roomId, userId, anchorId }) =>
    orderBy === "room" ? roomId !== undefined : (userId ?? anchorId) !== undefined,
  );
  if (!named || orderBy === "none") return "";
  return String(orderBy === "room" ? named.roomId : (named.userId ?? named.anchorId));
}

interface Part {
  readonly name: string;
  readonly orderKey: string;
  readonly data: object;
}

/** Gifts are cut into parts; of one room or sender each, where they are ordered by these. */
function partsOf(data: object, orderBy: OrderBy): Part[] {
  if (!hasGifts(data)) return [{ name: "", orderKey: keyOf(data, orderBy), data }];
  const key = ({ roomId, senderId }: Gifts["gifts"][number]) =>
    orderBy === "none" ? "" : String(orderBy === "room" ? roomId : senderId);
  const parts: Part[] = [];
  for (const [orderKey, gifts] of Map.groupBy(data.gifts, key))
    for (let from = 0; from < gifts.length; from += limits.webhook.giftsPerCall)
      parts.push({
        name: `${orderKey}:${from}`,
        orderKey,
        data: { ...data, gifts: gifts.slice(from, from + limits.webhook.giftsPerCall) },
      });
  return parts;
}

function messageIdOf(eventId: string, part: string, orderBy: OrderBy): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([eventId, part, orderBy]))
    .digest("base64url");
  return `msg_${digest.slice(0, 30)}`;
}

/**
 * The calls of an event, for subscriptions with this order. An event that is not cut into parts is the same call for
 * every order. @throws Unreadable where a body is larger than `limits.webhook.bodyBytes`
 */
export function callsOf({ id, name, time, data }: ReceivedEvent, orderBy: OrderBy, ids: ExternalIds): EventCall[] {
  return partsOf(data, orderBy).map((part) => {
    const messageId = messageIdOf(id, part.name, hasGifts(data) ? orderBy : "none");
    const shown = withExternalIds(part.data, ids);
    const body = JSON.stringify({ id: messageId, type: name, timestamp: time, data: shown });
    const bytes = Buffer.byteLength(body);
    if (bytes > limits.webhook.bodyBytes) throw new Unreadable(`the body of ${id} has ${bytes} bytes`);
    return { messageId, event: name, body, bytes, orderKey: part.orderKey };
  });
}

/** The users and rooms whose external ids the calls of these events show. */
export function namedIn(events: readonly ReceivedEvent[]): { userIds: string[]; roomIds: number[] } {
  return idsNamedIn(events.map(({ data }) => data));
}
