import type { FailureName } from "../../config/errors.ts";
import { pointsPerCoin } from "./points.ts";

/** The types of the ledger. Amounts are whole coins; incomes are points, 100 to a coin. */

export interface Account {
  userId: string;
  balance: number;
  totalCharged: number;
  debt: number;
  /** 0 invalid, 1 valid, 2 frozen. */
  status: number;
}

/**
 * How an order was settled, as the event of its settlement says it. Only a restore has it (scripts/restore/): it writes
 * again what was lost with the database, and that outcome stands.
 */
export type SettledAs = "succeeded" | FailureName;

export type Command =
  | {
      kind: "gift";
      bizId: string;
      userId: string;
      receiverId: string;
      amount: number;
      incomePoints: number;
      settledAs?: SettledAs;
    }
  /** `recharge`: a paid order of the payment service; `credit`: coins that the platform sold itself. */
  | { kind: "recharge" | "credit"; bizId: string; userId: string; coins: number }
  /** Coins that the platform gives (above zero) or takes (below zero). */
  | { kind: "adjust"; bizId: string; userId: string; coins: number }
  | { kind: "refund"; bizId: string; userId: string; coins: number }
  | { kind: "freeze" | "unfreeze"; userId: string; reason: string }
  /** Of an erased user: makes the account invalid, for ever. `giveUp`: coins that are left stay in it. */
  | { kind: "close"; userId: string; giveUp: boolean };

/** An outside of the ledger: coins come from it when they are bought and go to it when they are refunded. */
export const payments = "payments";

/** The other outside of the ledger: what the platform gives comes from it, what it takes goes to it. */
export const adjustments = "adjustments";

/** The types of a trade: t_qiyu_currency_trade.type. */
export const tradeTypes = Object.freeze({ gift: 0, recharge: 1, refund: 2, adjust: 3 } as const);

/**
 * One movement of coins: `amount`, above zero, goes from `source` to `destination`. Each is a user id, `payments` or
 * `adjustments`. Of a gift the receiver gets `incomePoints` as income and the platform keeps the rest, so a posting is
 * balanced in itself.
 */
export interface Posting {
  readonly bizId: string;
  readonly type: (typeof tradeTypes)[keyof typeof tradeTypes];
  readonly source: string;
  readonly destination: string;
  readonly amount: number;
  /** Of a gift, the receiver's share. */
  readonly incomePoints?: number;
}

/** The rows of a business id: of t_qiyu_currency_trade and t_wallet_debt together. */
export interface Prior {
  userId: string;
  /** The trade's num, 0 where there is only a debt row. */
  num: number;
  valid: boolean;
  reason: string | null;
  counterpartyId: string | null;
  incomePoints: number;
  balanceAfter: number;
  debtNum: number;
  /** The server that has the rows, where it is another than the one that decides. */
  server?: string;
}

/** `server`: where the row of a gift is, of several servers; unset where there is one. */
export type Outcome =
  | { status: "done"; repeated: boolean; incomePoints: number; account: Account; balanceAfter: number; server?: string }
  | {
      status: "refused";
      repeated: boolean;
      reason: FailureName;
      account: Account;
      balanceAfter: number;
      server?: string;
    };

/** A posting on its user's account: a row of t_qiyu_currency_trade. */
export interface TradeRow {
  userId: string;
  /** Above zero where the user gets the coins, below zero where she pays them. */
  num: number;
  type: number;
  /** 1 valid; 0 rejected: no coins moved, and the row keeps the answer for a repeat. */
  status: number;
  bizId: string;
  /** The receiver of a gift. */
  counterpartyId: string | null;
  incomePoints: number;
  balanceAfter: number;
  reason: string | null;
}

/** A change of a user's debt: a row of t_wallet_debt. */
export interface DebtRow {
  userId: string;
  num: number;
  bizId: string;
}

export interface Decision {
  outcomes: Outcome[];
  trades: TradeRow[];
  debts: DebtRow[];
  /** The accounts that changed, as they are to be written. */
  changed: Account[];
  /** Points that anchors earned in this batch, by anchor. BigInt, since many large gifts to one may exceed 2^53. */
  incomes: Map<string, bigint>;
}

/** A valid amount of coins: above zero, whole, safe. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** A valid adjustment: whole, safe and not zero. */
export function isAdjustment(value: number): boolean {
  return Number.isSafeInteger(value) && value !== 0;
}

/** A valid amount of a gift: in points, which the anchor's share is counted in, it must be safe too. */
export function isGiftAmount(value: number): boolean {
  return isAmount(value) && Number.isSafeInteger(value * pointsPerCoin);
}
