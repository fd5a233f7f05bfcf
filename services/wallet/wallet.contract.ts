import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { erasureActions } from "../erasure.contract.ts";
import {
  bucket,
  businessId,
  coinAmount,
  cursor,
  eventTime,
  externalReference,
  id,
  integer,
  isoTime,
  limit,
  operator,
  orderId,
  reason,
  userId,
} from "../fields.ts";
import { ledgersSealedEvent } from "../sealed-event.ts";
import { bucketActions } from "./buckets.contract.ts";
import {
  type AffectedGifts,
  type AffectedIncome,
  type FreeHold,
  holdOrder,
  type Income,
  type PaidOut,
  payout,
  shareState,
} from "./income.contract.ts";
import { type PlatformOrderOutcome, signedPlatformOrder } from "./platform-orders.contract.ts";
import { walletStaffActions } from "./staff.contract.ts";

/**
 * The wallet as other services see it. Amounts are whole coins; those named `points` or `...Points` are points, 100 to
 * a coin. All are safe integers. Where a value has both units, the points decide and the coins are rounded down.
 */

/** The outcome of a gift; a repeat of the order id gets the first outcome. */
export interface GiftOutcome {
  orderId: string;
  status: "succeeded" | "failed";
  /** Why it failed: a name of config/errors.ts (balanceShort, idempotencyConflict). */
  reason?: string;
  /** The receiver's share; 0 where it failed. */
  income: number;
  incomePoints: number;
  balanceAfter: number;
  /** The ledger has not written it now: the gift's record may be there, in the archive too. */
  repeated?: true;
  /** Where ledgers are on several servers: the one with the gift's row, which its record belongs on too. */
  server?: string;
}

/**
 * Whether a gift can be paid; "unusable": the account is frozen or invalid; "tooMany": too many gifts of the user
 * failed at the charge lately; "away": the user's server is, or her bucket is closed, where ledgers are on several.
 */
export type FundsVerdict = "enough" | "short" | "unusable" | "tooMany" | "away";

export interface Balance {
  userId: string;
  balance: number;
  /** What refunds could not take back, coins; paid off by the next recharges, credits and adjustments. */
  debt: number;
  totalCharged: number;
  /** 0 invalid, 1 valid, 2 frozen. */
  status: number;
}

export interface StatementRow {
  id: string;
  num: number;
  type: number;
  status: number;
  bizId: string;
  balanceAfter: number;
  createTime: string;
  /** The payment order of a recharge or refund; where a recharge pays a debt off, the recharge's order. */
  orderId?: string;
  /** The platform's order of coins that it sold itself, also where they pay a debt off. */
  externalOrderId?: string;
  /**
   * Where the row changed the debt. `change`: above zero what a refund could not take back, below zero what was paid
   * off. `after`: the whole debt after it. `orders`: the refunded orders whose debt it is, oldest first, at most
   * `limits.wallet.debtOrdersShown`.
   */
  debt?: { change: number; after: number; orders: { orderId: string; coins: number }[] };
}

const giftCharge = z.object({
  /** The gift's order id: the business id of the posting. */
  orderId: businessId,
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: id,
  /** Price of one gift, coins. */
  price: id,
  /** The receiver's share when the gift was accepted, whole percent. */
  sharePercent: integer(0, 100),
});
/** An accepted gift to charge, at the price of its acceptance. */
export type GiftCharge = z.infer<typeof giftCharge>;

export const walletActions = {
  ...walletStaffActions,
  /** The account is closed for ever (status 0); of the person the reasons go. Every posting stays. */
  ...erasureActions,
  ...bucketActions,
  /**
   * Charges gifts of senders of one bucket (`bucketOf` in services/wallet-buckets.ts), whatever the accounts' status,
   * which was checked at acceptance. When it returns, every outcome is committed; outcomes are in the order of the
   * gifts. A gift that fails does not affect the others. Fails: unavailable; then some gifts may be charged, and a
   * repeat of the call gets their first outcomes. With `apart`, where that holds for some of the senders alone, since their
   * server is away or their bucket closed, these are `away`: none of their gifts is in the outcomes.
   */
  consumeForSendGift: action({
    bucket,
    gifts: z.array(giftCharge).min(1).max(2_000),
    apart: z.literal(true).optional(),
  }).returns<{ outcomes: GiftOutcome[]; away?: string[] }>(),
  /** The committed balance. A user without an account has 0 of everything and status 1. */
  balance: action({ userId }).returns<Balance>(),
  /**
   * Whether gifts may be accepted, each on its own, in their order. "short" and "unusable" are read from the database.
   * "enough" may come from a cache that is up to `limits.wallet.fundsCacheMs` old; a freeze empties it by a broadcast.
   * "tooMany" instead of "enough" where `limits.wallet.failedGiftsPerMinute` of the user's gifts or more failed at the
   * charge, as the node that charges them has counted. Nothing is reserved: the charge decides. Any node answers; the
   * node of a sender's bucket (`Rendezvous`) has read or written the balance last.
   */
  checkFunds: action({
    gifts: z
      .array(z.object({ userId, amount: id }))
      .min(1)
      .max(limits.gift.groupGifts),
  }).returns<{ funds: FundsVerdict[] }>(),
  /**
   * The users whose account is frozen or invalid, read from the database. A user without an account is usable. With `apart`
   * those of whom it cannot be read now, since their server is away or their bucket closed, are `away`; else it fails then.
   */
  unusableOf: action({
    userIds: z.array(userId).min(1).max(limits.wallet.accountsPerCall),
    apart: z.literal(true).optional(),
  }).returns<{ userIds: string[]; away?: string[] }>(),
  /** Newest first; `cursor` is a trade id. The sum of `num` where `status` is 1 is the balance. */
  statement: action({ userId, cursor, limit }).returns<{ list: StatementRow[]; nextCursor: string | null }>(),
  /** The credited coins of these orders; an order without a credit is left out. */
  creditsOf: action({ orderIds: z.array(orderId).max(500) }).returns<{ list: { orderId: string; coins: number }[] }>(),
  /**
   * The orders whose refund is in the ledger. `coins`: those that were taken back and those that became a debt; all
   * coins of the order.
   */
  refundsOf: action({ orderIds: z.array(orderId).max(500) }).returns<{ list: { orderId: string; coins: number }[] }>(),
  /**
   * The credits between two ISO times (`to` excluded), page by page; a page may be empty. Those of coins that the platform
   * sold itself have an `externalOrderId`, and no order of the payment service.
   */
  creditsBetween: action({ from: isoTime, to: isoTime, cursor }).returns<{
    list: {
      orderId: string;
      userId: string;
      coins: number;
      balanceAfter: number;
      time: string;
      externalOrderId?: string;
    }[];
    nextCursor: string | null;
  }>(),
  /** The refunds between two ISO times (`to` excluded), with `coins` as in refundsOf, page by page; one may be empty. */
  refundsBetween: action({ from: isoTime, to: isoTime, cursor }).returns<{
    list: { orderId: string; coins: number }[];
    nextCursor: string | null;
  }>(),
  /** A user without income has 0 of everything. */
  income: action({ userId }).returns<Income>(),
  /**
   * Operators: records a payout and takes it from the anchor's free income (earned − held back − paid out, as rolled
   * up); committed when it returns. A `payoutId` keeps its first outcome for ever, a rejection too. Fails: invalidParam
   * where `points` is no safe whole number above 0; balanceShort; idempotencyConflict where the payout id has another
   * anchor or amount.
   */
  payout: action({ ...payout.shape, operator }).returns<PaidOut>(),
  /**
   * Carries out an order of the platform service, signed by it with PLATFORM_KEYS, once by its business id: a repeat gets
   * the first outcome, whoever sends it. `bucket` is that of its user, for speed alone. Committed when it returns. Fails:
   * orderForged, where its signature or content is not right, and nothing was moved; unavailable, where it is not known
   * whether it was carried out.
   */
  platformOrder: action({ bucket, order: signedPlatformOrder }).returns<PlatformOrderOutcome>(),
  /**
   * Operators: the gifts that a refunded order's missing coins were spent on, newest first, with the anchors' shares;
   * `cursor` is a trade id. With `anchorId` those of this anchor alone; with `state` the list of anchors has those alone
   * whose share is above 0 and in this state. Fails: refundUnknown.
   */
  affectedGifts: action({
    ...{ orderId, anchorId: userId.optional(), state: shareState.optional(), cursor, limit, operator },
  }).returns<AffectedGifts>(),
  /**
   * Operators: holds back the shares of these gifts (`holdIncome`), or releases the hold for ever (`releaseHold`), of
   * every anchor or of the named ones. A repeat changes nothing; one of the same `moveId` succeeds also where the shares
   * have moved on since. Fails: refundUnknown; holdState, where no share may make the move and none has made it.
   */
  holdIncome: action(holdOrder.shape).returns<AffectedIncome>(),
  releaseHold: action(holdOrder.shape).returns<AffectedIncome>(),
  /**
   * Staff: holds back any part of an anchor's free income, once for each `holdId`, never more than is free as rolled up. An
   * id keeps its first outcome for ever, also a refusal. Fails: balanceShort; idempotencyConflict, where the id has another
   * anchor or amount.
   */
  holdFree: action({ userId, points: id, holdId: externalReference, reason, operator }).returns<FreeHold>(),
  /** Staff: releases such a hold for ever. A repeat changes nothing. Fails: holdState, where there is no such hold. */
  releaseFree: action({ holdId: externalReference, reason, operator }).returns<FreeHold>(),
  /** Such a hold; `null` where there is none. */
  freeHold: action({ holdId: externalReference }).returns<FreeHold | null>(),
  /**
   * Operators; a repeat changes nothing. When it returns, a frozen account can neither send nor receive gifts, on other
   * nodes as soon as the broadcast arrives. Gifts that were accepted before are still charged, and the living-room
   * service closes the anchor's room soon after. Fails: accountUnusable, where the account is invalid.
   */
  freeze: action({ userId, reason, operator }).returns<Balance>(),
  unfreeze: action({ userId, reason, operator }).returns<Balance>(),
};

const accountChanged = z.object({ userId, reason: z.string(), time: eventTime });
/** Coins are whole, of `points` rounded down. */
const heldShare = z.object({
  orderId: businessId,
  anchorId: userId,
  coins: integer(0),
  points: integer(0),
  reason: z.string(),
  time: eventTime,
});

export const walletEvents = {
  "account.frozen": accountChanged,
  "account.unfrozen": accountChanged,
  /**
   * Coins that were paid for are in the account. `orderId`: the payment order; of coins that the platform sold itself,
   * which have an `externalOrderId`, the business id in the ledger.
   */
  "wallet.credited": z.object({
    userId,
    orderId: z.string().min(1).max(100),
    externalOrderId: externalReference.optional(),
    coins: coinAmount,
    balanceAfter: integer(0),
    time: eventTime,
  }),
  /** Of the ledgers' seals. */
  "books.sealed": ledgersSealedEvent,
  /** An anchor's share of gifts that were paid with a refunded order's coins is held back. */
  "income.held": heldShare,
  /** Such a share is given back. */
  "income.released": heldShare,
};
