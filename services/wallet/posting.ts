import type { FailureName } from "../../config/errors.ts";

/** The words of the ledger. Amounts are whole coins. */

export interface Account {
  userId: string;
  balance: number;
  totalCharged: number;
  debt: number;
  /** 0 invalid, 1 valid, 2 frozen. */
  status: number;
}

export type Command =
  | { kind: "gift"; bizId: string; userId: string; receiverId: string; amount: number; income: number }
  | { kind: "recharge"; bizId: string; userId: string; coins: number }
  | { kind: "refund"; bizId: string; userId: string; coins: number }
  | { kind: "freeze" | "unfreeze"; userId: string; reason: string };

/** What is in the books of a business id already: the rows of t_qiyu_currency_trade and t_wallet_debt together. */
export interface Prior {
  userId: string;
  /** The trade's num, 0 where there is only a debt row. */
  num: number;
  valid: boolean;
  reason: string | null;
  counterpartyId: string | null;
  income: number;
  balanceAfter: number;
  debtNum: number;
}

export type Outcome =
  | { status: "done"; repeated: boolean; income: number; account: Account; balanceAfter: number }
  | { status: "refused"; repeated: boolean; reason: FailureName; account: Account; balanceAfter: number };

export interface TradeRow {
  userId: string;
  num: number;
  type: number;
  status: number;
  bizId: string;
  counterpartyId: string | null;
  income: number;
  balanceAfter: number;
  reason: string | null;
}

export interface DebtRow {
  userId: string;
  num: number;
  bizId: string;
}

export interface Decision {
  outcomes: Outcome[];
  trades: TradeRow[];
  debts: DebtRow[];
  /** Accounts that changed, as they are to be. */
  changed: Account[];
  /** What anchors earned in this batch, by anchor. */
  incomes: Map<string, number>;
}

/** The anchor's share of a gift, rounded down: the rest is the platform's. */
export function anchorShare(amount: number, sharePercent: number): number {
  return Math.floor((amount * sharePercent) / 100);
}

/** A coin amount that may enter the ledger: above zero, whole, safe. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
