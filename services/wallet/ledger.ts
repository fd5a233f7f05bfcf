import { Books } from "./books.ts";
import { debtPaymentId } from "./business-ids.ts";
import { pointsPerCoin } from "./points.ts";
import {
  type Account,
  type Command,
  type Decision,
  isAmount,
  isGiftAmount,
  type Outcome,
  type Prior,
} from "./posting.ts";

/**
 * The decision of the ledger, and nothing else: accounts, what was decided before, and commands in; outcomes and the
 * rows to write out. Pure, so that every rule about money can be tried with any input.
 */

const tradeType = { gift: 0, recharge: 1, refund: 2 } as const;
const frozen = 2;
const valid = 1;

function decideGift(books: Books, command: Extract<Command, { kind: "gift" }>): Outcome {
  const { bizId, userId, receiverId, amount, incomePoints } = command;
  const account = books.account(userId);
  // These are refused by what the command says alone, so a repeat is refused alike without a row.
  const fair = Number.isSafeInteger(incomePoints) && incomePoints >= 0 && incomePoints <= amount * pointsPerCoin;
  if (!isGiftAmount(amount) || !fair) return books.refuse(account, "invalidParam");
  if (receiverId === userId) return books.refuse(account, "giftToSelf");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.num === -amount && prior.counterpartyId === receiverId;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  // The account's status was checked at acceptance: an accepted gift is charged while the coins suffice.
  const gift = { num: -amount, type: tradeType.gift, bizId, counterpartyId: receiverId };
  if (account.balance < amount) {
    books.post(account, { ...gift, status: 0, reason: "balanceShort" });
    return books.refuse(account, "balanceShort");
  }
  books.post(account, { ...gift, incomePoints });
  const { incomes } = books.decision;
  if (incomePoints > 0) incomes.set(receiverId, (incomes.get(receiverId) ?? 0n) + BigInt(incomePoints));
  return books.done(account, incomePoints);
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
    const taken = prior.valid ? -prior.num : 0;
    const same = prior.userId === userId && taken + prior.debtNum === coins;
    if (!same) return books.refuse(account, "idempotencyConflict", true);
    return { ...books.done(account), repeated: true, balanceAfter: prior.balanceAfter };
  }
  if (!Number.isSafeInteger(account.debt + coins)) return books.refuse(account, "invalidParam");
  const taken = Math.min(account.balance, coins);
  const refund = { type: tradeType.refund, bizId };
  if (taken > 0) books.post(account, { ...refund, num: -taken });
  // A row that moves nothing, so that the refund has its place in the ledger and in the statement.
  else books.post(account, { ...refund, num: -coins, status: 0, reason: "balanceShort" });
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
