import { fail } from "../../broker/failure.ts";
import type { FailureName } from "../../config/errors.ts";
import type { RoomReceivers } from "../living-room/living-room.contract.ts";
import type { FundsVerdict } from "../wallet/wallet.contract.ts";
import type { GiftRequest, Terms } from "./candidate.ts";
import type { CatalogueGift } from "./gift.contract.ts";

/** The outcome of a query: its error concerns only the gifts that need the value. */
export type Found<Value> = { readonly value: Value } | { readonly error: unknown };

/** Queries for many gifts. Where one fails, no gift was put into the queue. */
export interface CheckPorts {
  gifts(giftIds: ReadonlySet<number>): Promise<ReadonlyMap<number, Found<CatalogueGift | undefined>>>;
  /** Who receives gifts in live rooms. */
  rooms(roomIds: ReadonlySet<number>): Promise<ReadonlyMap<number, Found<RoomReceivers | undefined>>>;
  /** The receivers' shares of gifts, whole percent. */
  shares(receiverIds: ReadonlySet<string>): Promise<ReadonlyMap<string, Found<number>>>;
  /** Whether users can receive gifts: the account is neither frozen nor invalid. */
  receivers(userIds: ReadonlySet<string>): Promise<ReadonlyMap<string, Found<boolean>>>;
  /** Whether each gift can be paid, in their order. */
  funds(gifts: readonly { userId: string; amount: number }[]): Promise<Found<FundsVerdict>[]>;
}

interface Refusal {
  readonly refused: FailureName;
  /** Of the failure. */
  readonly data?: Record<string, unknown>;
}

/** The terms of the gift, or why it cannot be sent now. */
export type Checked = Terms | Refusal | { readonly error: unknown };

const notAsked: { readonly error: unknown } = { error: new Error("a query has no outcome for a gift") };

/** The outcome for a key; an error where the query has none for it. */
function read<Key, Value>(found: ReadonlyMap<Key, Found<Value>>, key: Key): Found<Value> {
  return found.get(key) ?? notAsked;
}

/** Checks gifts together, each on its own: catalogue and room, then accounts, funds and the receiver's share. */
export async function check(requests: readonly GiftRequest[], ports: CheckPorts): Promise<Checked[]> {
  const [gifts, rooms] = await Promise.all([
    ports.gifts(new Set(requests.map(({ giftId }) => giftId))),
    ports.rooms(new Set(requests.map(({ roomId }) => roomId))),
  ]);
  const offers = requests.map(({ userId, giftId, roomId, receiverId, isBanned }): Offer => {
    if (isBanned) return { refused: "banned" };
    if (receiverId === userId) return { refused: "giftToSelf" };
    return offerOf(read(gifts, giftId), read(rooms, roomId), receiverId);
  });
  const sendable = requests.filter((_request, at) => "price" in (offers[at] as Offer));
  if (sendable.length === 0) return offers as Checked[];
  const receiverIds = new Set(sendable.map(({ receiverId }) => receiverId));
  const amounts = requests.flatMap(({ userId, count }, at) => {
    const offer = offers[at] as Offer;
    return "price" in offer ? [{ userId, amount: offer.price * count }] : [];
  });
  const [shares, receivers, funds] = await Promise.all([
    ports.shares(receiverIds),
    ports.receivers(receiverIds),
    ports.funds(amounts),
  ]);
  let asked = 0;
  return requests.map(({ receiverId }, at) => {
    const offer = offers[at] as Offer;
    if (!("price" in offer)) return offer;
    return termsOf(offer, read(shares, receiverId), read(receivers, receiverId), funds[asked++] ?? notAsked);
  });
}

type Offer = { readonly price: number; readonly url: string } | Exclude<Checked, Terms>;

function offerOf(
  gift: Found<CatalogueGift | undefined>,
  room: Found<RoomReceivers | undefined>,
  receiverId: string,
): Offer {
  if ("error" in gift) return gift;
  if (gift.value?.status !== 1) return { refused: "giftUnknown" };
  if ("error" in room) return room;
  if (!room.value || (room.value.anchorId !== receiverId && room.value.guestId !== receiverId))
    return { refused: "roomNotLive" };
  return { price: gift.value.price, url: gift.value.svgaUrl };
}

function termsOf(
  { price, url }: Extract<Offer, { price: number }>,
  share: Found<number>,
  mayReceive: Found<boolean>,
  funds: Found<FundsVerdict>,
): Checked {
  if ("error" in mayReceive) return mayReceive;
  if (!mayReceive.value) return { refused: "accountUnusable" };
  if ("error" in funds) return funds;
  if (funds.value === "away") return { error: fail("unavailable", { cause: "the sender's account cannot be read" }) };
  if (funds.value === "unusable") return { refused: "accountUnusable" };
  if (funds.value === "short") return { refused: "balanceShort" };
  if (funds.value === "tooMany") return { refused: "tooMany" };
  if ("error" in share) return share;
  return { price, sharePercent: share.value, url };
}
