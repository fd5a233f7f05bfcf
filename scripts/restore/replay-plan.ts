import type { FailureName } from "../../config/errors.ts";
import type { DurableEventName, DurableEvents } from "../../services/contracts.ts";
import type { SettledGift } from "../../services/gift/gift.contract.ts";
import type { Command } from "../../services/wallet/posting.ts";
import { serverOfId } from "../../services/wallet-servers.ts";

/**
 * What a restore writes for an event that happened after the backup. Pure: one rule for each event, and the compiler
 * asks for one where an event is added. Every write has a business id, so that what is there stays as it is.
 */

/** A settled gift as its record has it. */
export interface ReplayedRecord {
  readonly gift: SettledGift;
  /** When it was settled: the event's time. */
  readonly settled: Date;
}

export interface ReplayedUser {
  readonly userId: string;
  readonly externalId: string | undefined;
  readonly time: Date;
}

export interface OpenedRoom {
  readonly anchorId: string;
  readonly type: number;
  readonly roomName: string;
  readonly externalRoomId: string | undefined;
  readonly time: Date;
}

export interface ClosedRoom {
  readonly anchorId: string;
  readonly externalRoomId: string | undefined;
  readonly closedBy: string | null;
  readonly reason: string | null;
  readonly time: Date;
}

export type ReplayedRestriction = DurableEvents["user.restricted"];
export type ReplayedLift = DurableEvents["user.unrestricted"];

/** What a person must look at, by kind; the report has a text for each (report.ts). */
export type NoteKind =
  | "payment"
  | "refund"
  | "hold"
  | "userWithoutPhone"
  | "erasure"
  | "battle"
  | "webhookDisabled"
  | "gift"
  | "room"
  | "unreadable"
  | "databases";

export interface Note {
  readonly kind: NoteKind;
  /** The order, user or room. */
  readonly subject: string;
  readonly detail: string;
}

export type Write =
  | { readonly to: "ledger"; readonly command: Command }
  | { readonly to: "records"; readonly record: ReplayedRecord }
  | { readonly to: "users"; readonly user: ReplayedUser }
  | { readonly to: "rooms"; readonly roomId: number; readonly opened?: OpenedRoom; readonly closed?: ClosedRoom }
  | { readonly to: "restrictions"; readonly placed?: ReplayedRestriction; readonly lifted?: ReplayedLift }
  | { readonly to: "seals" }
  | { readonly to: "person"; readonly note: Note };

type Rule<N extends DurableEventName> = (data: DurableEvents[N], time: Date) => Write[];

const seals = (): Write[] => [{ to: "seals" }];
const note = (kind: NoteKind, subject: string, detail: string): Write => ({
  ...{ to: "person", note: { kind, subject, detail } },
});

/**
 * The outcome of a gift that leaves a row in the ledger; `undefined`: it left none, since the gift was invalid in itself.
 */
function settledAs({ status, reason }: SettledGift): "succeeded" | FailureName | undefined {
  if (status === "succeeded") return "succeeded";
  return reason === "balanceShort" ? reason : undefined;
}

/** The charge and the record of a gift, with the price and the share that it was settled with. */
export function giftWrites(gift: SettledGift, settled: Date): Write[] {
  const { orderId: bizId, senderId: userId, receiverId, price, count, incomePoints } = gift;
  const outcome = settledAs(gift);
  const charge: Write[] =
    outcome === undefined
      ? []
      : [
          {
            to: "ledger",
            command: {
              ...{ kind: "gift", bizId, userId, receiverId, amount: price * count, incomePoints, settledAs: outcome },
            },
          },
        ];
  return [...charge, { to: "records", record: { gift, settled } }];
}

const held: Rule<"income.held"> = ({ orderId, anchorId, points, reason }) => [
  note("hold", orderId, `held: anchor ${anchorId}, ${points} points: ${reason}`),
];

const rules: { readonly [N in DurableEventName]: Rule<N> } = {
  "user.registered": ({ userId, externalId, time }) => [
    { to: "users", user: { userId, externalId, time: new Date(time) } },
    ...(externalId === undefined ? [note("userWithoutPhone", userId, `registered ${time}`)] : []),
  ],
  // The backup may hold what was erased. The account is frozen by an event of its own.
  "user.erased": ({ userId, time }) => [note("erasure", userId, `erased ${time}`)],
  "user.restricted": (placed) => [{ to: "restrictions", placed }],
  "user.unrestricted": (lifted) => [{ to: "restrictions", lifted }],
  "room.opened": ({ roomId, anchorId, type, roomName, externalRoomId, time }) => [
    { to: "rooms", roomId, opened: { anchorId, type, roomName, externalRoomId, time: new Date(time) } },
  ],
  "room.closed": ({ roomId, anchorId, externalRoomId, closedBy = null, reason = null, time }) => [
    { to: "rooms", roomId, closed: { anchorId, externalRoomId, closedBy, reason, time: new Date(time) } },
  ],
  "gift.settled": ({ gifts }, time) => gifts.flatMap((gift) => giftWrites(gift, time)),
  // Its dead letter is in stream DEAD, and a person decides about it.
  "gift.deadLettered": () => [],
  "gift.books-sealed": seals,
  "account.frozen": ({ userId, reason }) => [{ to: "ledger", command: { kind: "freeze", userId, reason } }],
  "account.unfrozen": ({ userId, reason }) => [{ to: "ledger", command: { kind: "unfreeze", userId, reason } }],
  "wallet.credited": ({ userId, orderId: bizId, externalOrderId, coins }) => [
    {
      to: "ledger",
      command: { kind: externalOrderId === undefined ? "recharge" : "credit", bizId, userId, coins },
    },
  ],
  "books.sealed": seals,
  "income.held": held,
  "income.released": ({ orderId, anchorId, points, reason }) => [
    note("hold", orderId, `released: anchor ${anchorId}, ${points} points: ${reason}`),
  ],
  "payment.paid": ({ orderId, userId, amount, coins, time }) => [
    note("payment", orderId, `paid ${time}: user ${userId}, ${amount} fen, ${coins} coins`),
  ],
  // The wallet reads the order to take its coins back in stream PAY, where there is one: it is signed.
  "payment.refunded": ({ orderId, userId, amount, coins, reason, time }) => [
    note("refund", orderId, `refunded ${time}: user ${userId}, ${amount} fen, ${coins} coins: ${reason}`),
  ],
  "payment.books-sealed": seals,
  "battle.started": ({ battleId, time }) => [note("battle", String(battleId), `started ${time}`)],
  "battle.ended": ({ battleId, sides, winner, time }) => [
    note(
      "battle",
      String(battleId),
      `ended ${time}: scores ${sides.map(({ score }) => score).join(" : ")}, winner ${winner ?? "none"}`,
    ),
  ],
  "auditor.books-sealed": seals,
  "platform.books-sealed": seals,
  "webhook.disabled": ({ webhookId, reason, time }) => [
    note("webhookDisabled", String(webhookId), `${reason} ${time}`),
  ],
  "staff.books-sealed": seals,
};

/** What an event becomes. `time`: when it was published. */
export function writesOf<N extends DurableEventName>(name: N, data: DurableEvents[N], time: Date): Write[] {
  return (rules[name] as Rule<N>)(data, time);
}

/**
 * The two passes over the events. Credits go first: a credit is published by an outbox, so the event of a gift that was
 * paid with its coins may be before it in the stream.
 */
export const passes = {
  credits: (write: Write) =>
    write.to === "ledger" && (write.command.kind === "recharge" || write.command.kind === "credit"),
  others: (write: Write) => !passes.credits(write),
} as const;

/** The numbers that events have seen, by database's service and table: they must not be given out again. */
export interface SeenIds {
  readonly service: string;
  readonly table: string;
  /** Of the server that gave the id; 0 is the home server, which gives most of them. */
  readonly server: number;
  readonly id: bigint;
}

export function seenIds<N extends DurableEventName>(name: N, data: DurableEvents[N]): SeenIds[] {
  const of = data as Record<string, unknown>;
  const atHome = { server: 0 };
  if (name === "room.opened" || name === "room.closed")
    return [{ ...atHome, service: "living-room", table: "t_living_room", id: BigInt(of.roomId as number) }];
  if (name === "user.restricted")
    return [{ ...atHome, service: "user", table: "t_restriction", id: BigInt(of.restrictionId as string) }];
  if (name === "battle.started")
    return [{ ...atHome, service: "battle", table: "t_battle", id: BigInt(of.battleId as string) }];
  if (name !== "gift.settled") return [];
  return (of.gifts as SettledGift[]).flatMap(({ recordId }) =>
    recordId === undefined
      ? []
      : [{ service: "gift", table: "t_gift_record", server: serverOfId(recordId), id: BigInt(recordId) }],
  );
}
