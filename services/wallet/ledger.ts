import { Books } from "./books.ts";
import { debtPaymentId, restoredCoinsId } from "./business-ids.ts";
import { pointsPerCoin } from "./points.ts";
import {
  type Account,
  adjustments,
  type Command,
  type Decision,
  isAdjustment,
  isAmount,
  isGiftAmount,
  type Outcome,
  type Posting,
  type Prior,
  payments,
  tradeTypes,
} from "./posting.ts";

/**
 * The decision of the ledger. Its input is accounts, the earlier rows of the commands' business ids, and commands; its
 * output is outcomes and rows to write. It is pure, so every rule about money can be tested with any input.
 */

const frozen = 2;
const valid = 1;
/** Of the account of an erased user, for ever. */
export const closedStatus = 0;

function decideGift(books: Books, command: Extract<Command, { kind: "gift" }>): Outcome {
  const { bizId, userId, receiverId, amount, incomePoints } = command;
  const account = books.account(userId);
  // What is invalid in itself needs no row: a repeat is refused again by the same check.
  const isShare = Number.isSafeInteger(incomePoints) && incomePoints >= 0 && incomePoints <= amount * pointsPerCoin;
  if (!isGiftAmount(amount) || !isShare) return books.refuse(account, "invalidParam");
  if (receiverId === userId) return books.refuse(account, "giftToSelf");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.num === -amount && prior.counterpartyId === receiverId;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  // The account's status was checked at acceptance: an accepted gift is charged while the coins suffice.
  const gift: Posting = {
    ...{ bizId, type: tradeTypes.gift, source: userId, destination: receiverId, amount, incomePoints },
  };
  const { settledAs } = command;
  const refusal = settledAs === undefined && account.balance < amount ? "balanceShort" : settledAs;
  if (refusal !== undefined && refusal !== "succeeded") {
    books.reject(gift, refusal);
    return books.refuse(account, refusal);
  }
  if (account.balance < amount && !lend(books, account, bizId, amount - account.balance))
    return books.refuse(account, "invalidParam");
  books.post(gift);
  return books.done(account, incomePoints);
}

/**
 * Coins for a gift that succeeded and whose coins the books no longer know: an adjustment, and a debt of as many coins.
 * Where the credit or adjustment that they came from is written again, it pays off the debt, so nobody gets coins twice.
 * The auditor names the adjustment, since nobody ordered it. Returns whether the amounts are safe.
 */
function lend(books: Books, account: Account, giftId: string, coins: number): boolean {
  if (!Number.isSafeInteger(account.debt + coins)) return false;
  const bizId = restoredCoinsId(giftId);
  books.post({ bizId, type: tradeTypes.adjust, source: adjustments, destination: account.userId, amount: coins });
  books.owe(account, coins, bizId);
  return true;
}

/** Pays debts off with coins that the account was given under this business id. */
function payDebtOff(books: Books, account: Account, bizId: string, coins: number): void {
  const payOff = Math.min(account.debt, coins);
  if (payOff <= 0) return;
  const paymentId = debtPaymentId(bizId);
  const { userId } = account;
  books.post({ bizId: paymentId, type: tradeTypes.refund, source: userId, destination: payments, amount: payOff });
  books.owe(account, -payOff, paymentId);
}

function decideRecharge(books: Books, command: Extract<Command, { kind: "recharge" | "credit" }>): Outcome {
  const { bizId, userId, coins } = command;
  const account = books.account(userId);
  if (!isAmount(coins)) return books.refuse(account, "invalidParam");
  const prior = books.prior(bizId);
  if (prior) {
    const same = prior.userId === userId && prior.num === coins;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  const posting = { bizId, type: tradeTypes.recharge, source: payments, destination: userId, amount: coins };
  // A paid order is credited: what was paid must be in the books. The platform can take its own sale back.
  if (command.kind === "credit" && account.status === closedStatus) {
    books.reject(posting, "accountUnusable");
    return books.refuse(account, "accountUnusable");
  }
  if (!Number.isSafeInteger(account.totalCharged + coins) || !Number.isSafeInteger(account.balance + coins)) {
    // The platform service keeps the refusal, so the ledger must refuse a repeat too. A paid order is tried again.
    if (command.kind === "credit") books.reject(posting, "invalidParam");
    return books.refuse(account, "invalidParam");
  }
  // A payment is credited whatever the account's status: a frozen account keeps its coins.
  account.totalCharged += coins;
  books.post(posting);
  const credited = account.balance;
  payDebtOff(books, account, bizId, coins);
  return { ...books.done(account), balanceAfter: credited };
}

function refusalOfAdjustment(adjusted: number): "invalidParam" | "balanceShort" | undefined {
  if (!Number.isSafeInteger(adjusted)) return "invalidParam";
  return adjusted < 0 ? "balanceShort" : undefined;
}

/**
 * An adjustment moves coins whatever the account's status, but gives none to an invalid one; total_charged, which is what
 * was paid for, stays.
 */
function decideAdjust(books: Books, command: Extract<Command, { kind: "adjust" }>): Outcome {
  const { bizId, userId, coins } = command;
  const account = books.account(userId);
  if (!isAdjustment(coins)) return books.refuse(account, "invalidParam");
  const prior = books.prior(bizId);
  if (prior) {
    // A gift could have the same user and num, never without a receiver.
    const same = prior.userId === userId && prior.num === coins && prior.counterpartyId === null;
    return same ? books.repeat(account, prior) : books.refuse(account, "idempotencyConflict", true);
  }
  const about = { bizId, type: tradeTypes.adjust, amount: Math.abs(coins) };
  const posting: Posting =
    coins > 0
      ? { ...about, source: adjustments, destination: userId }
      : { ...about, source: userId, destination: adjustments };
  const isGiven = coins > 0 && account.status === closedStatus;
  const refusal = isGiven ? "accountUnusable" : refusalOfAdjustment(account.balance + coins);
  if (refusal !== undefined) {
    books.reject(posting, refusal);
    return books.refuse(account, refusal);
  }
  books.post(posting);
  const adjusted = account.balance;
  payDebtOff(books, account, bizId, coins);
  return { ...books.done(account), balanceAfter: adjusted };
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
  const refund = { bizId, type: tradeTypes.refund, source: userId, destination: payments };
  if (taken > 0) books.post({ ...refund, amount: taken });
  // Where nothing can be taken a rejected row gives the refund its place in the ledger and in the statement.
  else books.reject({ ...refund, amount: coins }, "balanceShort");
  if (taken < coins) books.owe(account, coins - taken, bizId);
  return books.done(account);
}

/** The moves of an account's status by operators. An invalid account (0), of an erased user, has none. */
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

/** Closes the account of a user who is to be erased, from any status: a debt, or coins that nobody gave up, keep it open. */
function decideClose(books: Books, { userId, giveUp }: Extract<Command, { kind: "close" }>): Outcome {
  const account = books.account(userId);
  if (account.status === closedStatus) return { ...books.done(account), repeated: true };
  if (account.debt > 0 || (account.balance > 0 && !giveUp)) return books.refuse(account, "erasureBlocked");
  account.status = closedStatus;
  books.touch(account);
  return books.done(account);
}

function decideOne(books: Books, command: Command): Outcome {
  switch (command.kind) {
    case "gift":
      return decideGift(books, command);
    case "recharge":
    case "credit":
      return decideRecharge(books, command);
    case "adjust":
      return decideAdjust(books, command);
    case "refund":
      return decideRefund(books, command);
    case "close":
      return decideClose(books, command);
    default:
      return decideStatus(books, command);
  }
}

/**
 * Decides the commands in their order, each on the result of those before it; `outcomes` are in the same order.
 * `accounts` must hold every user of the commands, `priors` every earlier row of their business ids.
 */
export function decide(
  accounts: ReadonlyMap<string, Account>,
  priors: ReadonlyMap<string, Prior>,
  commands: readonly Command[],
): Decision {
  const books = new Books(accounts, priors);
  for (const command of commands) books.decision.outcomes.push(decideOne(books, command));
  return books.finish();
}
