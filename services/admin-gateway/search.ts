import type { ServiceName } from "../../broker/service-names.ts";
import type { CallingContext } from "../../mixins/http/endpoint-form.ts";
import { call } from "../contracts.ts";
import { isExternalId, orderId } from "../fields.ts";
import type { StaffRoom } from "../living-room/staff.contract.ts";
import type { FoundUser } from "../user/staff.contract.ts";
import { awayOf, foundUnlessAway, unlessAway } from "./answers.ts";
import { kindByLetters, stateByLetters } from "./story/letters.ts";
import { lettersOf } from "./story/staff-part.ts";
import type { StoryParts } from "./story/story.ts";

/** A hit of a search. */
export interface Hit {
  kind: "user" | "gift" | "payment" | "room";
  id: string;
  title: string;
  /** Of a gift or a payment as in its story, of a room live or closed; `null` of a user. */
  state: string | null;
  /** Other names of it. */
  detail: string;
}

/** Gift orders are UUIDs (services/gift-order-id.ts): nothing else is looked for in the queue and the dead letters. */
const giftOrder = /^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** An order id, also as a provider has it, or the provider's id of a payment. */
const payOrder = /^[\x21-\x7e]{8,64}$/;

/** The room that a number stands for; `undefined` where it is none. */
function roomIdOf(q: string): number | undefined {
  const roomId = Number(q);
  return /^[1-9]\d{0,15}$/.test(q) && Number.isSafeInteger(roomId) ? roomId : undefined;
}

async function roomsOf(ctx: CallingContext, q: string): Promise<StaffRoom[] | undefined> {
  const roomId = roomIdOf(q);
  const byId =
    roomId === undefined
      ? null
      : await foundUnlessAway(call(ctx, "living-room.roomForStaff", { roomId }), "roomNotLive");
  const named = isExternalId(q)
    ? await unlessAway(call(ctx, "living-room.roomsOfExternal", { externalRoomId: q }))
    : null;
  if (byId === undefined || named === undefined) return undefined;
  const others = (named?.list ?? []).filter((room) => room.roomId !== byId?.roomId);
  return [...(byId ? [byId] : []), ...others];
}

/**
 * Gift searches its queue and the dead letters for what it has no record of: only for what payment does not have. What
 * was given up is known to the staff service alone: it is asked for what neither of them has.
 */
async function ordersOf(ctx: CallingContext, q: string) {
  const payment = payOrder.test(q) ? await unlessAway(call(ctx, "payment.findOrders", { q })) : null;
  const isPayment = payment != null && payment.list.length > 0;
  const gift =
    giftOrder.test(q) && !isPayment
      ? await foundUnlessAway(call(ctx, "gift.orderStory", { orderId: q }), "giftOrderUnknown")
      : null;
  const isKnown = isPayment || gift != null;
  const letters = isKnown || !orderId.safeParse(q).success || !payOrder.test(q) ? null : await lettersOf(ctx, q);
  return [payment, gift, letters] as const;
}

/** An order of which its dead letters alone are left. */
function letterHits(orderId: string, letters: StoryParts["letters"] | null): Hit[] {
  const kind = kindByLetters(letters ?? []);
  if (!kind) return [];
  return [{ kind, id: orderId, title: "", state: stateByLetters(letters ?? []) ?? "unknown", detail: "" }];
}

const states = ["waiting", "paying", "paid", "cancelled", "invalid", "refunded"];

const userHit = ({ userId, nickName, externalId, phoneEnd }: FoundUser): Hit => ({
  ...{ kind: "user", id: userId, title: nickName, state: null },
  detail: [externalId, phoneEnd && `…${phoneEnd}`].filter(Boolean).join(" · "),
});

const roomHit = ({ roomId, roomName, live, externalRoomId }: StaffRoom): Hit => ({
  ...{ kind: "room", id: String(roomId), title: roomName, state: live ? "live" : "closed" },
  detail: externalRoomId ?? "",
});

/**
 * Everything that the text may stand for: a user, a gift, a payment, a room. Each service looks by an index; see
 * `ordersOf`. `mayPhone`: whether the person may see phones. `more`: more phones have this end than are shown.
 * `incomplete`: the services that did not answer.
 */
export async function search(
  ctx: CallingContext,
  q: string,
  mayPhone: boolean,
): Promise<{ list: Hit[]; more: boolean; incomplete: ServiceName[] }> {
  const [user, [payment, gift, letters], rooms] = await Promise.all([
    unlessAway(call(ctx, "user.find", { q, mayPhone })),
    ordersOf(ctx, q),
    roomsOf(ctx, q),
  ]);
  const list: Hit[] = [
    ...(user?.list ?? []).map(userHit),
    ...(gift
      ? [
          {
            kind: "gift" as const,
            id: gift.orderId,
            title: `${gift.giftName ?? ""} × ${gift.count}`,
            ...{ state: gift.state, detail: "" },
          },
        ]
      : []),
    ...(payment?.list ?? []).map(({ orderId, productName, status }) => ({
      ...{ kind: "payment" as const, id: orderId, title: productName ?? "" },
      ...{ state: states[status] ?? String(status), detail: "" },
    })),
    ...letterHits(q, letters),
    ...(rooms ?? []).map(roomHit),
  ];
  const incomplete = awayOf({ user, gift, payment, staff: letters, "living-room": rooms });
  return { list, more: user?.more ?? false, incomplete };
}
