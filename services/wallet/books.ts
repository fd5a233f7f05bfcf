import type { FailureName } from "../../config/errors.ts";
import type { Account, Decision, Outcome, Prior, TradeRow } from "./posting.ts";

/** The working copy of one decision. */
export class Books {
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
      incomePoints: 0,
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
      incomePoints: trade.incomePoints,
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

  done(account: Account, incomePoints = 0): Outcome {
    return { status: "done", repeated: false, incomePoints, account: { ...account }, balanceAfter: account.balance };
  }

  refuse(account: Account, reason: FailureName, repeated = false): Outcome {
    return { status: "refused", repeated, reason, account: { ...account }, balanceAfter: account.balance };
  }

  /** The first outcome again, for a command that is in the books. */
  repeat(account: Account, prior: Prior): Outcome {
    const { balanceAfter, incomePoints, reason } = prior;
    const first = { repeated: true, account: { ...account }, balanceAfter };
    if (prior.valid) return { status: "done", incomePoints, ...first };
    return { status: "refused", reason: (reason ?? "giftNotSent") as FailureName, ...first };
  }

  finish(): Decision {
    this.decision.changed = [...this.touched].map((userId) => this.account(userId));
    return this.decision;
  }

  private remember(bizId: string, part: Partial<Prior> & { userId: string }): void {
    const empty = {
      num: 0,
      valid: true,
      reason: null,
      counterpartyId: null,
      incomePoints: 0,
      balanceAfter: 0,
      debtNum: 0,
    };
    this.priors.set(bizId, { ...empty, ...this.priors.get(bizId), ...part });
  }
}
