/** The rules of scores. */

interface ScoredSide {
  readonly userId: string;
  readonly score: number;
  /** She was away when the battle ended for it. */
  readonly deserted: boolean;
}

/**
 * The winner, `null` where there is none. Who was away loses, whatever the scores; where both were, nobody wins.
 * Otherwise the higher score wins, and equal scores are a draw.
 */
export function winnerOf([first, second]: readonly [ScoredSide, ScoredSide]): string | null {
  if (first.deserted !== second.deserted) return first.deserted ? second.userId : first.userId;
  if (first.deserted || first.score === second.score) return null;
  return first.score > second.score ? first.userId : second.userId;
}

/** A battle that counts gifts, as nodes have it in memory. Times are ms since 1970. */
export interface CountingBattle {
  readonly battleId: string;
  readonly durationMs: number;
  /** `null`: it is accepted, and this node does not know its start. */
  readonly start: number | null;
  /** The end, or the planned end; `null` while the start is not known. */
  readonly end: number | null;
  readonly sides: readonly { readonly roomId: number; readonly userId: string }[];
}

/** The side to which a gift goes; `undefined`: to none. */
export function sideOf({ sides }: CountingBattle, gift: { roomId: number; receiverId: string }): number | undefined {
  const side = sides.findIndex(({ roomId, userId }) => roomId === gift.roomId && userId === gift.receiverId);
  return side === -1 ? undefined : side;
}

/** Whether a gift of this time counts: from the start until before the end. */
export function counts(time: number, { start, end }: { start: number | null; end: number | null }): boolean {
  return start !== null && end !== null && time >= start && time < end;
}

/** A gift of a live score. */
export interface CountedGift {
  readonly battleId: string;
  readonly side: number;
  readonly recordId: string;
  readonly coins: number;
}

/** The sums of gifts by battle and side, ordered by both, so that transactions lock rows in one order. */
export function sumsOf(
  gifts: readonly CountedGift[],
): { battleId: string; side: number; coins: number; gifts: number }[] {
  const sums = new Map<string, { battleId: string; side: number; coins: number; gifts: number }>();
  for (const { battleId, side, coins } of gifts) {
    const key = `${battleId}:${side}`;
    const sum = sums.get(key);
    if (sum) {
      sum.coins += coins;
      sum.gifts++;
    } else sums.set(key, { battleId, side, coins, gifts: 1 });
  }
  return [...sums.values()].sort((a, b) => compareIds(a.battleId, b.battleId) || a.side - b.side);
}

/** Compares decimal strings without leading zeros. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
