import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import { debtPaymentId, payOrderOf, refundId } from "./business-ids.ts";
import { anchorsOf } from "./holds/hold-decision.ts";
import { readRefund } from "./holds/hold-store.ts";
import { attribute } from "./holds/holds.ts";
import { postingsOfOrder } from "./income/income-store.ts";
import type { RefundedWith, WalletStory } from "./staff.contract.ts";
import {
  debtRefundsSince,
  debtsByBizId,
  holdsOfGift,
  holdsOfOrder,
  type KnownTrade,
  tradesByBizId,
} from "./story-store.ts";

const giftType = 0;

/**
 * The refunded orders that a valid gift was paid with, as far as the sender's first refunds after it tell: attribution
 * goes backwards from a refund, so refunds before the gift cannot have it.
 */
async function refundedWith(db: Queryable, gift: KnownTrade): Promise<{ list: RefundedWith[]; more: boolean }> {
  const refunds = await debtRefundsSince(db, gift.userId, new Date(gift.time));
  const list: RefundedWith[] = [];
  for (const bizId of refunds.slice(0, limits.lookup.refundsAttributed)) {
    const orderId = payOrderOf(bizId);
    const refund = await readRefund(db, orderId);
    if (!refund || BigInt(refund.tradeId) < BigInt(gift.id)) continue;
    const { parts } = await attribute(db, refund);
    const part = parts.find((one) => one.gift.orderId === gift.bizId);
    if (!part) continue;
    const anchors = anchorsOf(orderId, parts, await postingsOfOrder(db, orderId));
    const state = anchors.find(({ anchorId }) => anchorId === part.gift.anchorId)?.state ?? "open";
    list.push({ orderId, coins: part.coins, points: part.sharePoints, state, time: refund.time.toISOString() });
  }
  return { list, more: refunds.length > limits.lookup.refundsAttributed };
}

/** What the ledgers have of an order, of a gift or of a payment. */
export async function orderStory(db: Queryable, orderId: string): Promise<WalletStory> {
  const trades = await tradesByBizId(db, [orderId, refundId(orderId)]);
  const gift = trades.find(({ bizId, type }) => bizId === orderId && type === giftType);
  const holds = await (gift ? holdsOfGift(db, orderId) : holdsOfOrder(db, orderId));
  const paid = gift?.status === 1 ? await refundedWith(db, gift) : { list: [], more: false };
  return {
    trades: trades.map(({ id: _id, ...trade }) => trade),
    debts: gift ? [] : await debtsByBizId(db, [refundId(orderId), debtPaymentId(orderId)]),
    holds: holds.slice(0, limits.lookup.storyRows),
    refundedWith: paid.list,
    cut: holds.length > limits.lookup.storyRows || paid.more,
  };
}

/**
 * The same of all servers: an order may have been credited on one and, after a move of the payer's bucket, refunded on
 * another. A gift is on one.
 */
export async function storyOn(servers: LedgerServers, orderId: string): Promise<WalletStory> {
  const [first, ...others] = (await servers.each((db) => orderStory(db, orderId))) as [WalletStory, ...WalletStory[]];
  if (others.length === 0) return first;
  const all = [first, ...others];
  const byTime = (a: { time: string }, b: { time: string }) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0);
  return {
    trades: all.flatMap(({ trades }) => trades).sort(byTime),
    debts: all.flatMap(({ debts }) => debts).sort(byTime),
    holds: all.flatMap(({ holds }) => holds).slice(0, limits.lookup.storyRows),
    refundedWith: all.flatMap((one) => one.refundedWith),
    cut: all.some(({ cut }) => cut),
  };
}
