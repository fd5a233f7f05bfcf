import type { FailureName } from "../../config/errors.ts";
import {
  type Account,
  adjustments,
  type Decision,
  type Outcome,
  type Posting,
  type Prior,
  payments,
  tradeTypes,
} from "./posting.ts";

/** The coins that the account gets (above zero) or pays (below zero). */
function numOf({ source, amount }: Posting, { userId }: Account): number {
  return source === userId ? -amount : amount;
}

/** The accounts and earlier rows that one decision works on, and the rows that it writes. */
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

  /** Moves the coins of a posting and writes its row. */
  post(posting: Posting): void {
    const account = this.accountOf(posting);
    account.balance += numOf(posting, account);
    this.touched.add(account.userId);
    this.write(posting, account, null);
    const { type, destination, incomePoints = 0 } = posting;
    if (type !== tradeTypes.gift || incomePoints === 0) return;
    const { incomes } = this.decision;
    incomes.set(destination, (incomes.get(destination) ?? 0n) + BigInt(incomePoints));
  }

  /** Writes the row of a posting that is rejected: no coins move, and a repeat is rejected for the same reason. */
  reject(posting: Posting, reason: FailureName): void {
    this.write(posting, this.accountOf(posting), reason);
  }

  /** Changes the debt by `num` coins and writes its row. */
  owe(account: Account, num: number, bizId: string): void {
    account.debt += num;
    this.touched.add(account.userId);
    this.decision.debts.push({ userId: account.userId, num, bizId });
    this.remember(bizId, { userId: account.userId, debtNum: num, balanceAfter: account.balance });
  }

  /** Notes that the account must be written. */
  touch(account: Account): void {
    this.touched.add(account.userId);
  }

  done(account: Account, incomePoints = 0): Outcome {
    return { status: "done", repeated: false, incomePoints, account: { ...account }, balanceAfter: account.balance };
  }

  refuse(account: Account, reason: FailureName, repeated = false): Outcome {
    return { status: "refused", repeated, reason, account: { ...account }, balanceAfter: account.balance };
  }

  /** The first outcome of a command whose business id is in the books. */
  repeat(account: Account, prior: Prior): Outcome {
    const { balanceAfter, incomePoints, reason, server } = prior;
    const first = { repeated: true, account: { ...account }, balanceAfter, ...(server !== undefined && { server }) };
    if (prior.valid) return { status: "done", incomePoints, ...first };
    return { status: "refused", reason: (reason ?? "giftNotSent") as FailureName, ...first };
  }

  finish(): Decision {
    this.decision.changed = [...this.touched].map((userId) => this.account(userId));
    return this.decision;
  }

  /** The account whose coins a posting moves. A gift's destination has income, which is no account of this ledger. */
  private accountOf({ source, destination }: Posting): Account {
    return this.account(source === payments || source === adjustments ? destination : source);
  }

  private write(posting: Posting, account: Account, rejection: FailureName | null): void {
    const { bizId, type, destination, incomePoints = 0 } = posting;
    const valid = rejection === null;
    const row = {
      userId: account.userId,
      num: numOf(posting, account),
      type,
      status: valid ? 1 : 0,
      bizId,
      counterpartyId: type === tradeTypes.gift ? destination : null,
      incomePoints: valid ? incomePoints : 0,
      balanceAfter: account.balance,
      reason: rejection,
    };
    this.decision.trades.push(row);
    this.remember(bizId, row, valid);
  }

  private remember(bizId: string, part: Omit<Partial<Prior>, "valid"> & { userId: string }, valid?: boolean): void {
    const prior = this.priors.get(bizId);
    if (prior) {
      this.priors.set(bizId, { ...prior, ...part, valid: valid ?? prior.valid });
      return;
    }
    // Written out, since nearly every gift comes here.
    this.priors.set(bizId, {
      userId: part.userId,
      num: part.num ?? 0,
      valid: valid ?? true,
      reason: part.reason ?? null,
      counterpartyId: part.counterpartyId ?? null,
      incomePoints: part.incomePoints ?? 0,
      balanceAfter: part.balanceAfter ?? 0,
      debtNum: part.debtNum ?? 0,
    });
  }
}
