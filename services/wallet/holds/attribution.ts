import { sharePoints } from "../points.ts";

/**
 * Which gifts a refunded order's coins were spent on. Coins bear no marks, so this is a rule, and the same for ever: what
 * a refund could not take back (its shortfall) was spent on the payer's latest gifts before the refund, the latest first.
 * A coin of a gift that an earlier refund has claimed by the same rule is not there for a later one. Only what stands in
 * the ledger before the refund counts, and that never changes: nor does the answer.
 */

/** A valid gift of the payer, in the order of the ledger. */
export interface SpentGift {
  kind: "gift";
  /** The trade's id. */
  id: string;
  orderId: string;
  anchorId: string;
  coins: number;
  /** The anchor's share of it, whole percent. */
  sharePercent: number;
  time: Date;
}

/** A refund before the one in question, and how many coins it could not take back. */
export interface EarlierRefund {
  kind: "refund";
  shortfall: number;
}

/** The part of a gift that was paid with the refunded coins: the coins from `coinsFrom` on, of its `gift.coins`. */
export interface GiftPart {
  gift: SpentGift;
  coinsFrom: number;
  coins: number;
  /** The anchor's share of these coins, exactly: the shares of a gift's parts add up to the gift's. */
  sharePoints: number;
}

/** Walks from a refund back through the payer's ledger until its shortfall is covered. */
export class Attribution {
  /** Newest first. */
  readonly parts: GiftPart[] = [];
  /** What the earlier refunds that were passed claim of the gifts before them: of each, its first coins. */
  private claimed = 0n;
  private left: number;

  constructor(shortfall: number) {
    this.left = shortfall;
  }

  /** Coins of the shortfall that no gift was found for. */
  get uncovered(): number {
    return this.left;
  }

  get done(): boolean {
    return this.left === 0;
  }

  /** Takes the entry that stands before the last one taken. */
  take(entry: SpentGift | EarlierRefund): void {
    if (this.done) return;
    if (entry.kind === "refund") this.claimed += BigInt(entry.shortfall);
    else this.spend(entry);
  }

  private spend(gift: SpentGift): void {
    const coinsFrom = this.claimed < gift.coins ? Number(this.claimed) : gift.coins;
    this.claimed -= BigInt(coinsFrom);
    const coins = Math.min(this.left, gift.coins - coinsFrom);
    if (coins === 0) return;
    this.left -= coins;
    this.parts.push({ gift, coinsFrom, coins, sharePoints: sharePoints(coins, gift.sharePercent) });
  }
}
