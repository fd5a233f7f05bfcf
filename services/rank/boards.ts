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

/** Adds what gifts count on their boards, each board and user once. Boards that are not kept at `nowMs` are left out. */
export class Totals {
  private readonly calendar: Calendar;
  private readonly nowMs: number;
  private readonly wants: (userId: string) => boolean;
  private readonly sums = new Map<string, Total>();

  /** @param wants whose sums; by default everybody's */
  constructor(calendar: Calendar, nowMs: number, wants: (userId: string) => boolean = () => true) {
    this.calendar = calendar;
    this.nowMs = nowMs;
    this.wants = wants;
  }

  get size(): number {
    return this.sums.size;
  }

  /** @throws RangeError that names the board, where a sum is no safe integer */
  add(gift: CountedGift): void {
    const { senderId, receiverId, roomId } = gift;
    this.addTo({ kind: kinds.room.all, period: 0, scope: String(roomId) }, senderId, gift);
    const periods = this.calendar.periodsOf(gift.timeMs);
    for (const span of spans) {
      const period = periods[span];
      if (!this.calendar.isKept(span, period, this.nowMs)) continue;
      this.addTo({ kind: kinds.anchor[span], period, scope: receiverId }, senderId, gift);
      this.addTo({ kind: kinds.anchors[span], period, scope: "0" }, receiverId, gift);
      this.addTo({ kind: kinds.senders[span], period, scope: "0" }, senderId, gift);
    }
  }

  /** Removes and returns the sum of a user on a board. */
  take(board: Board, userId: string): Total | undefined {
    const key = keyOf(board, userId);
    const total = this.sums.get(key);
    this.sums.delete(key);
    return total;
  }

  all(): IterableIterator<Total> {
    return this.sums.values();
  }

  /** In the order of the primary key, in which all transactions lock rows. */
  sorted(): Total[] {
    return [...this.sums.values()].sort(
      (one, other) =>
        one.kind - other.kind ||
        one.period - other.period ||
        compareIds(one.scope, other.scope) ||
        compareIds(one.userId, other.userId),
    );
  }

  private addTo(board: Board, userId: string, { coins, timeMs }: CountedGift): void {
    if (!this.wants(userId)) return;
    const key = keyOf(board, userId);
    const total = this.sums.get(key);
    if (!total) {
      this.sums.set(key, { ...board, userId, coins, reachedMs: timeMs });
      return;
    }
    total.coins += coins;
    total.reachedMs = Math.max(total.reachedMs, timeMs);
    if (!Number.isSafeInteger(total.coins)) throw beyondSafe(board, userId);
  }
}

export function beyondSafe(board: Board, userId: string): RangeError {
  return new RangeError(
    `the sum of user ${userId} on the board ${boardName(board)} would exceed 2^53 - 1 coins: nothing is added`,
  );
}

const keyOf = ({ kind, period, scope }: Board, userId: string) => `${kind} ${period} ${scope} ${userId}`;

/** Compares decimal strings without leading zeros as numbers. */
function compareIds(one: string, other: string): number {
  if (one === other) return 0;
  return one.length - other.length || (one < other ? -1 : 1);
}
