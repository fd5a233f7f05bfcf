import type { SettledGift } from "../gift/gift.contract.ts";
import { type Calendar, type Span, spans } from "./periods.ts";

/** Which boards a gift counts on, and the sums that a batch of gifts adds. Pure. */

/**
 * The kinds of boards as numbers of the column `kind`. Of a room: its senders. Of an anchor: her senders. Of everybody:
 * the anchors by what they got, the senders by what they gave.
 */
export const kinds = {
  room: { all: 1 },
  anchor: { day: 11, week: 12, month: 13, all: 14 },
  anchors: { day: 21, week: 22, month: 23, all: 24 },
  senders: { day: 31, week: 32, month: 33, all: 34 },
} as const;
type Group = keyof typeof kinds;

const named = new Map<number, { group: Group; span: Span }>(
  Object.entries(kinds).flatMap(([group, numbers]) =>
    Object.entries(numbers).map(([span, kind]) => [kind, { group: group as Group, span: span as Span }] as const),
  ),
);

/** The kinds whose boards are of one period each, with its span. */
export const passingKinds: readonly { kind: number; span: Span }[] = [...named]
  .filter(([, { span }]) => span !== "all")
  .map(([kind, { span }]) => ({ kind, span }));

export interface Board {
  readonly kind: number;
  /** See `Calendar`. */
  readonly period: number;
  /** A room's or anchor's id; "0" for boards of everybody. */
  readonly scope: string;
}

/** A user's sum on a board. */
export interface Total extends Board {
  readonly userId: string;
  coins: number;
  /** When the sum was reached: the time of the user's latest gift that counts, ms since 1970. */
  reachedMs: number;
}

/** A gift that succeeded, as it counts. */
export interface CountedGift {
  readonly recordId: number;
  readonly senderId: string;
  readonly receiverId: string;
  readonly roomId: number;
  /** count × price. */
  readonly coins: number;
  /** When it was accepted, by JetStream's clock, ms since 1970. */
  readonly timeMs: number;
}

/** A name of the board for people, e.g. `anchor 77, day 20261126`. */
export function boardName({ kind, period, scope }: Board): string {
  const { group, span } = named.get(kind) ?? { group: `kind ${kind}`, span: "?" };
  const whose = scope === "0" ? group : `${group} ${scope}`;
  if (group === "room") return whose;
  return span === "all" ? `${whose}, all time` : `${whose}, ${span} ${period}`;
}

export const spanOf = (kind: number): Span | undefined => named.get(kind)?.span;
export const isRoom = (kind: number): boolean => kind === kinds.room.all;

/** What a gift counts. @throws RangeError where its coins are no safe integer, or its time or record id is none. */
export function countedGift(gift: SettledGift & { readonly recordId: string }): CountedGift {
  const { senderId, receiverId, roomId, orderId } = gift;
  const [coins, timeMs, recordId] = [gift.count * gift.price, Date.parse(gift.time), Number(gift.recordId)];
  if (!Number.isSafeInteger(coins) || coins <= 0)
    throw new RangeError(`the coins of gift ${orderId} are no safe integer: it cannot be on any board`);
  if (!Number.isSafeInteger(recordId) || Number.isNaN(timeMs))
    throw new RangeError(`gift ${orderId} has no usable record id or time: it cannot be on any board`);
  return { recordId, senderId, receiverId, roomId, coins, timeMs };
}

/** The sums of a kind and period, by scope and user. */
type Scopes = Map<string, Map<string, Total>>;

/** Adds what gifts count on their boards, each board and user once. Boards that are not kept at `nowMs` are left out. */
export class Totals {
  private readonly calendar: Calendar;
  private readonly oldest: Readonly<Record<Span, number>>;
  private readonly wants: (userId: string) => boolean;
  /** By `keyOf`. Maps in maps cost less than keys that are made of a board and a user for each sum. */
  private readonly boards = new Map<number, Scopes>();
  private count = 0;

  /** @param wants whose sums; by default everybody's */
  constructor(calendar: Calendar, nowMs: number, wants: (userId: string) => boolean = () => true) {
    this.calendar = calendar;
    this.oldest = Object.fromEntries(spans.map((span) => [span, calendar.oldestKept(span, nowMs)])) as never;
    this.wants = wants;
  }

  get size(): number {
    return this.count;
  }

  /** @throws RangeError that names the board, where a sum is no safe integer */
  add(gift: CountedGift): void {
    const { senderId, receiverId, roomId } = gift;
    const [sender, receiver] = [this.wants(senderId), this.wants(receiverId)];
    if (sender) this.addTo(kinds.room.all, 0, String(roomId), senderId, gift);
    const periods = this.calendar.periodsOf(gift.timeMs);
    for (const span of spans) {
      const period = periods[span];
      if (period < this.oldest[span]) continue;
      if (sender) this.addTo(kinds.anchor[span], period, receiverId, senderId, gift);
      if (receiver) this.addTo(kinds.anchors[span], period, "0", receiverId, gift);
      if (sender) this.addTo(kinds.senders[span], period, "0", senderId, gift);
    }
  }

  /** Removes and returns the sum of a user on a board. */
  take({ kind, period, scope }: Board, userId: string): Total | undefined {
    const users = this.boards.get(keyOf(kind, period))?.get(scope);
    const total = users?.get(userId);
    if (users?.delete(userId)) this.count--;
    return total;
  }

  *all(): Generator<Total> {
    for (const scopes of this.boards.values()) for (const users of scopes.values()) yield* users.values();
  }

  /** In the order of the primary key, in which all transactions lock rows. */
  sorted(): Total[] {
    const sums: Total[] = [];
    for (const [, scopes] of [...this.boards].sort(([one], [other]) => one - other))
      for (const [, users] of [...scopes].sort(([one], [other]) => compareIds(one, other)))
        for (const total of [...users.values()].sort((one, other) => compareIds(one.userId, other.userId)))
          sums.push(total);
    return sums;
  }

  private addTo(kind: number, period: number, scope: string, userId: string, { coins, timeMs }: CountedGift): void {
    const key = keyOf(kind, period);
    let scopes = this.boards.get(key);
    if (!scopes) {
      scopes = new Map();
      this.boards.set(key, scopes);
    }
    let users = scopes.get(scope);
    if (!users) {
      users = new Map();
      scopes.set(scope, users);
    }
    const total = users.get(userId);
    if (!total) {
      users.set(userId, { kind, period, scope, userId, coins, reachedMs: timeMs });
      this.count++;
      return;
    }
    total.coins += coins;
    total.reachedMs = Math.max(total.reachedMs, timeMs);
    if (!Number.isSafeInteger(total.coins)) throw beyondSafe(total, userId);
  }
}

/** In the order of kinds and of their periods, which are dates as numbers. */
const keyOf = (kind: number, period: number) => kind * 100_000_000 + period;

export function beyondSafe(board: Board, userId: string): RangeError {
  return new RangeError(
    `the sum of user ${userId} on the board ${boardName(board)} would exceed 2^53 - 1 coins: nothing is added`,
  );
}

/** Compares decimal strings without leading zeros as numbers. */
function compareIds(one: string, other: string): number {
  if (one === other) return 0;
  return one.length - other.length || (one < other ? -1 : 1);
}
