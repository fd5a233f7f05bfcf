import { sharePoints } from "../points.ts";

/**
 * Which gifts a refunded order's coins were spent on. Coins cannot be told apart, so a rule decides: what a refund could
 * not take back (its shortfall) was spent on the payer's latest gifts before the refund, the latest first. A coin that
 * an earlier refund claimed by the same rule is not claimed again. Only rows before the refund count. They never change,
 * so neither does the answer.
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

/** A refund before the one that is attributed, and how many coins it could not take back. */
export interface EarlierRefund {
  kind: "refund";
  shortfall: number;
}

/** The part of a gift that was paid with the refunded coins: `coins` coins from `coinsFrom` on, of `gift.coins`. */
export interface GiftPart {
  gift: SpentGift;
  coinsFrom: number;
  coins: number;
  /** The anchor's exact share of these coins: the shares of a gift's parts add up to the gift's share. */
  sharePoints: number;
}

/** Reads the payer's ledger from a refund backwards until the refund's shortfall is covered. */
export class Attribution {
  /** Newest first. */
  readonly parts: GiftPart[] = [];
  /** Coins that earlier refunds claim of the gifts before them; the first coins of a gift are claimed first. */
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

  /** Takes the next older entry. */
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
