import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import type { LedgerServer, LedgerServers } from "./buckets/ledger-servers.ts";
import { debtPaymentId, isBucketMove, payOrderOf, refundId } from "./business-ids.ts";
import { anchorsOf } from "./holds/hold-decision.ts";
import { attribute, postingsOn, refundOn } from "./holds/refunds.ts";
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

interface FoundGift {
  readonly gift: KnownTrade;
  readonly server: LedgerServer;
}

/** The first refunds of a user that left a debt at a time or later, on all servers. */
async function refundsSince(servers: LedgerServers, userId: string, since: Date): Promise<string[]> {
  const all = (await servers.each((db) => debtRefundsSince(db, userId, since))).flat();
  if (servers.isSeveral) all.sort((a, b) => a.time.getTime() - b.time.getTime());
  return all.map(({ bizId }) => bizId).filter((bizId) => !isBucketMove(bizId));
}

/**
 * The refunded orders that a valid gift was paid with, as far as the sender's first refunds after it tell: attribution
 * goes backwards from a refund, so refunds before the gift cannot have it.
 */
async function refundedWith(
  servers: LedgerServers,
  { gift, server }: FoundGift,
): Promise<{ list: RefundedWith[]; more: boolean }> {
  const refunds = await refundsSince(servers, gift.userId, new Date(gift.time));
  const list: RefundedWith[] = [];
  for (const bizId of refunds.slice(0, limits.lookup.refundsAttributed)) {
    const orderId = payOrderOf(bizId);
    const found = await refundOn(servers, orderId);
    if (!found) continue;
    const { refund } = found;
    if (found.server === server && BigInt(refund.tradeId) < BigInt(gift.id)) continue;
    const { parts } = await attribute(servers, found);
    const part = parts.find((one) => one.gift.orderId === gift.bizId);
    if (!part) continue;
    const rows = (await postingsOn(servers, orderId)).map(({ posting }) => posting);
    const anchors = anchorsOf(orderId, parts, rows);
    const state = anchors.find(({ anchorId }) => anchorId === part.gift.anchorId)?.state ?? "open";
    list.push({ orderId, coins: part.coins, points: part.sharePoints, state, time: refund.time.toISOString() });
  }
  return { list, more: refunds.length > limits.lookup.refundsAttributed };
}

const byTime = (a: { time: string }, b: { time: string }) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0);

/** What one server's ledgers have of an order, of a gift or of a payment. */
async function partOfStory(db: Queryable, orderId: string) {
  const trades = await tradesByBizId(db, [orderId, refundId(orderId)]);
  const gift = trades.find(({ bizId, type }) => bizId === orderId && type === giftType);
  const debts = gift ? [] : await debtsByBizId(db, [refundId(orderId), debtPaymentId(orderId)]);
  return { trades, gift, debts };
}

/**
 * What the ledgers of all servers have of an order: it may have been credited on one and, after a move of the payer's
 * bucket, refunded on another. A gift is on one, and what is held of it on the anchor's.
 */
export async function storyOn(servers: LedgerServers, orderId: string): Promise<WalletStory> {
  const parts = await servers.each(async (db, server) => ({ server, ...(await partOfStory(db, orderId)) }));
  const [place] = parts.flatMap(({ server, gift }): FoundGift[] => (gift ? [{ server, gift }] : []));
  const read = place ? holdsOfGift : holdsOfOrder;
  const holds = (await servers.each((db) => read(db, orderId))).flat();
  const paid = place?.gift.status === 1 ? await refundedWith(servers, place) : { list: [], more: false };
  const trades = parts.flatMap((part) => part.trades.map(({ id: _id, ...trade }) => trade));
  const debts = place ? [] : parts.flatMap((part) => part.debts);
  return {
    trades: servers.isSeveral ? trades.sort(byTime) : trades,
    debts: servers.isSeveral ? debts.sort(byTime) : debts,
    holds: holds.slice(0, limits.lookup.storyRows),
    refundedWith: paid.list,
    cut: holds.length > limits.lookup.storyRows || paid.more,
  };
}
