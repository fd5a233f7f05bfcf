import type { FailureName } from "../../config/errors.ts";

/**
 * The decision of the ledger, and nothing else: accounts, what was decided before, and commands in; outcomes and the
 * rows to write out. Pure, so that every rule about money can be tried with any input. Amounts are whole coins.
 */

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

const tradeType = { gift: 0, recharge: 1, refund: 2 } as const;
const frozen = 2;
const valid = 1;

/** The business id of the row that a recharge pays a debt off with. */
export const debtPaymentId = (rechargeBizId: string): string => `debt:${rechargeBizId}`;

/** The anchor's share of a gift, rounded down: the rest is the platform's. */
export function anchorShare(amount: number, sharePercent: number): number {
  return Math.floor((amount * sharePercent) / 100);
}

/** A coin amount that may enter the ledger: above zero, whole, safe. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** The working copy of one decision. */
class Books {
  readonly decision: Decision = { outcomes: [], trades: [], debts: [], changed: [], incomes: new Map() };
  private readonly accounts: Map<string, Account>;
  private readonly priors: Map<string, Prior>;
  private readonly touched = new Set<string>();

  constructor(accounts: ReadonlyMap<string, Account>, priors: ReadonlyMap<string, Prior>) {
    this.accounts = new Map([...accounts].map(([id, account]) => [id, { ...account }]));
    this.priors = new Map(priors);
  }

  account(userId: string): Account {
    const account = this.accounts.get(userId);
    if (!account) throw new Error(`the account of user ${userId} was not loaded for this decision`);
    return account;
  }

  prior(bizId: string): Prior | undefined {
    return this.priors.get(bizId);
  }

  /** Moves coins (where valid) and writes the row that says so. */
  post(account: Account, row: Pick<TradeRow, "num" | "type" | "bizId"> & Partial<TradeRow>): void {
    const rejected = row.status === 0;
    if (!rejected) {
      account.balance += row.num;
      this.touched.add(account.userId);
    }
    const trade: TradeRow = {
      userId: account.userId,
      status: 1,
      counterpartyId: null,
      income: 0,
      reason: null,
      ...row,
      balanceAfter: account.balance,
    };
    this.decision.trades.push(trade);
    this.remember(trade.bizId, {
      num: trade.num,
      valid: !rejected,
      reason: trade.reason,
      counterpartyId: trade.counterpartyId,
      income: trade.income,
      balanceAfter: trade.balanceAfter,
      userId: trade.userId,
    });
  }

  owe(account: Account, num: number, bizId: string): void {
    account.debt += num;
    this.touched.add(account.userId);
    this.decision.debts.push({ userId: account.userId, num, bizId });
    this.remember(bizId, { userId: account.userId, debtNum: num, balanceAfter: account.balance });
  }

  touch(account: Account): void {
    this.touched.add(account.userId);
  }

  done(account: Account, income = 0): Outcome {
    return { status: "done", repeated: false, income, account: { ...account }, balanceAfter: account.balance };
  }

  refuse(account: Account, reason: FailureName, repeated = false): Outcome {
    return { status: "refused", repeated, reason, account: { ...account }, balanceAfter: account.balance };
  }

  /** The first outcome again, for a command that is in the books. */
  repeat(account: Account, prior: Prior): Outcome {
    const { balanceAfter, income, reason } = prior;
    const first = { repeated: true, account: { ...account }, balanceAfter };
    if (prior.valid) return { status: "done", income, ...first };
    return { status: "refused", reason: (reason ?? "giftNotSent") as FailureName, ...first };
  }

  finish(): Decision {
    this.decision.changed = [...this.touched].map((userId) => this.account(userId));
    return this.decision;
  }

  private remember(bizId: string, part: Partial<Prior> & { userId: string }): void {
    const empty = { num: 0, valid: true, reason: null, counterpartyId: null, income: 0, balanceAfter: 0, debtNum: 0 };
    this.priors.set(bizId, { ...empty, ...this.priors.get(bizId), ...part });
  }
}

function decideGift(books: Books, command: Extract<Command, { kind: "gift" }>): Outcome {
  const { bizId, userId, receiverId, amount, income } = command;
  const account = books.account(userId);
  // These are refused by what the command says alone, so a repeat is refused alike without a row.
  if (!isAmount(amount) || !Number.isSafeInteger(income) || income < 0 || income > amount)
    return books.refuse(account, "invalidParam");
  if (receiverId === userId) return books.refuse(account, "giftToSelf");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.num === -amount && prior.counterpartyId === receiverId;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  const gift = { num: -amount, type: tradeType.gift, bizId, counterpartyId: receiverId };
  const reason = account.status !== valid ? "accountUnusable" : account.balance < amount ? "balanceShort" : null;
  if (reason) {
    books.post(account, { ...gift, status: 0, reason });
    return books.refuse(account, reason);
  }
  books.post(account, { ...gift, income });
  const { incomes } = books.decision;
  if (income > 0) incomes.set(receiverId, (incomes.get(receiverId) ?? 0) + income);
  return books.done(account, income);
}

function decideRecharge(books: Books, command: Extract<Command, { kind: "recharge" }>): Outcome {
  const { bizId, userId, coins } = command;
  const account = books.account(userId);
  if (!isAmount(coins)) return books.refuse(account, "invalidParam");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.num === coins;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  if (!Number.isSafeInteger(account.totalCharged + coins) || !Number.isSafeInteger(account.balance + coins))
    return books.refuse(account, "invalidParam");
  // Money that came in is credited whatever the account's status: a frozen account keeps it.
  account.totalCharged += coins;
  books.post(account, { num: coins, type: tradeType.recharge, bizId });
  const credited = account.balance;
  const payOff = Math.min(account.debt, coins);
  if (payOff > 0) {
    books.post(account, { num: -payOff, type: tradeType.refund, bizId: debtPaymentId(bizId) });
    books.owe(account, -payOff, debtPaymentId(bizId));
  }
  return { ...books.done(account), balanceAfter: credited };
}

function decideRefund(books: Books, command: Extract<Command, { kind: "refund" }>): Outcome {
  const { bizId, userId, coins } = command;
  const account = books.account(userId);
  if (!isAmount(coins)) return books.refuse(account, "invalidParam");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.debtNum - prior.num === coins;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  if (!Number.isSafeInteger(account.debt + coins)) return books.refuse(account, "invalidParam");
  const taken = Math.min(account.balance, coins);
  if (taken > 0) books.post(account, { num: -taken, type: tradeType.refund, bizId });
  if (taken < coins) books.owe(account, coins - taken, bizId);
  return books.done(account);
}

/** Allowed moves of an account's status: an invalid account stays what it is. */
const statusMoves = { freeze: { from: valid, to: frozen }, unfreeze: { from: frozen, to: valid } } as const;

function decideStatus(books: Books, command: Extract<Command, { kind: "freeze" | "unfreeze" }>): Outcome {
  const account = books.account(command.userId);
  const move = statusMoves[command.kind];
  if (account.status === move.to) return { ...books.done(account), repeated: true };
  if (account.status !== move.from) return books.refuse(account, "accountUnusable");
  account.status = move.to;
  books.touch(account);
  return books.done(account);
}

/**
 * Decides commands one after the other, each on what the ones before it left. `outcomes` stand in their order. An
 * account must be given for every user of the commands, and every prior of their business ids (`bizIdsOf`).
 */
export function decide(
  accounts: ReadonlyMap<string, Account>,
  priors: ReadonlyMap<string, Prior>,
  commands: readonly Command[],
): Decision {
  const books = new Books(accounts, priors);
  for (const command of commands) {
    const { outcomes } = books.decision;
    if (command.kind === "gift") outcomes.push(decideGift(books, command));
    else if (command.kind === "recharge") outcomes.push(decideRecharge(books, command));
    else if (command.kind === "refund") outcomes.push(decideRefund(books, command));
    else outcomes.push(decideStatus(books, command));
  }
  return books.finish();
}
