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

export type Command =
  | { kind: "gift"; bizId: string; userId: string; receiverId: string; amount: number; incomePoints: number }
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
  incomePoints: number;
  balanceAfter: number;
  debtNum: number;
}

export type Outcome =
  | { status: "done"; repeated: boolean; incomePoints: number; account: Account; balanceAfter: number }
  | { status: "refused"; repeated: boolean; reason: FailureName; account: Account; balanceAfter: number };

export interface TradeRow {
  userId: string;
  num: number;
  type: number;
  status: number;
  bizId: string;
  counterpartyId: string | null;
  incomePoints: number;
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
  /** What anchors earned in this batch, points by anchor: exact, also where many large gifts go to one. */
  incomes: Map<string, bigint>;
}

/** A coin amount that may enter the ledger: above zero, whole, safe. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** A gift's amount: its points, of which the anchor's share is a part, must be safe too. */
export function isGiftAmount(value: number): boolean {
  return isAmount(value) && Number.isSafeInteger(value * pointsPerCoin);
}
