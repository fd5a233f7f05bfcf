import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { OutboxMessage } from "../../../mixins/outbox.mixin.ts";
import { durableEvent } from "../../durable-event.ts";
import type { LedgerServer, LedgerServers } from "../buckets/ledger-servers.ts";
import { refundId } from "../business-ids.ts";
import { debtHistory, paidOffBefore } from "../debts.ts";
import { postingsOfOrder } from "../income/income-store.ts";
import type { AffectedGifts, AffectedIncome, HoldOrder } from "../income.contract.ts";
import { wholeCoins } from "../points.ts";
import { readDebts } from "../statement-store.ts";
import type { WalletState } from "../wallet-state.ts";
import { lockAccounts } from "../wallet-store.ts";
import { withinAnswer } from "./answer-size.ts";
import { Attribution } from "./attribution.ts";
import { type AnchorPart, anchorsOf, countShares, decideHold, type HoldMove, sharesIn } from "./hold-decision.ts";
import type { HoldState } from "./hold-state.ts";
import {
  entriesBefore,
  hasCredit,
  insertHolds,
  noteCarriedOut,
  type Refund,
  readRefund,
  wasCarriedOut,
} from "./hold-store.ts";

async function requireRefund(db: Queryable, orderId: string): Promise<Refund> {
  const refund = await readRefund(db, orderId);
  if (!refund) throw fail("refundUnknown", { orderId });
  return refund;
}

/** The gifts of a refund's shortfall, by the rule of attribution.ts, among the payer's last entries before it. */
export async function attribute(db: Queryable, { userId, tradeId, shortfall }: Refund): Promise<Attribution> {
  const attribution = new Attribution(shortfall);
  const { attributionPageRows, attributionRowsMax } = limits.wallet;
  let before = tradeId;
  for (let seen = 0; !attribution.done && seen < attributionRowsMax; seen += attributionPageRows) {
    const entries = await entriesBefore(db, userId, before, attributionPageRows);
    for (const { entry } of entries) attribution.take(entry);
    if (entries.length < attributionPageRows) break;
    before = entries.at(-1)?.id as string;
  }
  return attribution;
}

async function describe(
  db: Queryable,
  refund: Refund,
  { uncovered }: Attribution,
  anchors: readonly AnchorPart[],
  only?: HoldState,
): Promise<AffectedIncome> {
  const { orderId, userId, taken, shortfall, time } = refund;
  const { owing, changes } = debtHistory(await readDebts(db, userId));
  return withinAnswer({
    orderId,
    userId,
    taken,
    shortfall,
    owing: owing.get(orderId) ?? 0,
    paidOff: uncovered > 0 ? paidOffBefore(changes, refundId(orderId)) : [],
    uncovered,
    time: time.toISOString(),
    shares: countShares(anchors),
    anchors: (only ? sharesIn(anchors, only) : anchors).map(({ anchorId, parts, coins, sharePoints, state }) => ({
      ...{ anchorId, gifts: parts.length, coins, share: wholeCoins(sharePoints), sharePoints, state },
    })),
  });
}

/**
 * The server with a refunded order's row, where what its coins were spent on is, and what is held back of it: the payer's
 * server when it was refunded. The home server where none has it. Fails: unavailable, where the credit is on another
 * server: gifts that its coins were spent on there would be missing.
 */
export async function serverOfRefund(servers: LedgerServers, orderId: string): Promise<LedgerServer> {
  if (!servers.isSeveral) return servers.all[0];
  const found = await servers.first(async (server) => (await readRefund(server.view.mysql, orderId)) && server);
  if (!found) return servers.all[0];
  const credited = await servers.first(async (server) =>
    (await hasCredit(server.view.mysql, orderId)) ? server : undefined,
  );
  if (credited && credited !== found)
    throw fail("unavailable", { orderId, cause: "incomplete: the credit is on another server than the refund" });
  return found;
}

interface Asked {
  readonly orderId: string;
  readonly anchorId?: string | undefined;
  readonly state?: HoldState | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/**
 * The gifts that a refunded order's missing coins were spent on, newest first; with `anchorId` those of this anchor. With
 * `state` the anchors are those whose share is above 0 and in this state. Fails: refundUnknown, where the ledger does not
 * (yet) have a refund of the order.
 */
export async function affectedGifts(
  db: Queryable,
  { orderId, anchorId, state, cursor, limit }: Asked,
): Promise<AffectedGifts> {
  const refund = await requireRefund(db, orderId);
  const attribution = await attribute(db, refund);
  const parts = attribution.parts.filter(({ gift }) => anchorId === undefined || gift.anchorId === anchorId);
  const anchors = anchorsOf(orderId, parts, await postingsOfOrder(db, orderId));
  const below = parts.filter(({ gift }) => !cursor || BigInt(gift.id) < BigInt(cursor));
  const page = below.slice(0, limit);
  return {
    ...(await describe(db, refund, attribution, anchors, state)),
    gifts: page.map(({ gift, coins, sharePoints }) => ({
      ...{ orderId: gift.orderId, anchorId: gift.anchorId, price: gift.coins, coins },
      ...{ share: wholeCoins(sharePoints), sharePoints },
      time: gift.time.toISOString(),
    })),
    nextCursor: below.length > limit ? (page.at(-1)?.gift.id ?? null) : null,
  };
}

type Wallet = Pick<WalletState, "mysql" | "outbox" | "seals">;

function eventOf(order: Omit<HoldOrder, "operator">, to: "held" | "released", move: HoldMove): OutboxMessage {
  const time = new Date();
  const { orderId, reason } = order;
  const { anchorId } = move;
  const points = Math.abs(move.points);
  const data = { orderId, anchorId, coins: wholeCoins(points), points, reason, time: time.toISOString() };
  const event = durableEvent(`income.${to}`, `${orderId}:${anchorId}`, data, time);
  return { ...event, orderKey: `user:${anchorId}` };
}

/**
 * Holds back the anchors' shares of an order's gifts, or releases these holds; committed when it resolves. A repeat or
 * a concurrent call changes nothing, one of the same `moveId` also where the shares have moved on since. Shares whose state
 * does not allow the move stay as they are. Fails: refundUnknown; holdState, where no share may make the move and none has
 * made it.
 */
export async function moveHolds(
  wallet: Wallet,
  to: "held" | "released",
  order: Omit<HoldOrder, "operator">,
): Promise<AffectedIncome> {
  const { orderId, anchorId, moveId, reason } = order;
  const anchorIds = order.anchorIds ?? (anchorId === undefined ? undefined : [anchorId]);
  const refund = await requireRefund(wallet.mysql, orderId);
  const attribution = await attribute(wallet.mysql, refund);
  const answer = await wallet.seals.transaction(wallet.mysql, async (tx, sealing) => {
    // Read before the commit: a node of a database cluster may show a commit of another one a little later.
    const present = async () =>
      describe(tx, refund, attribution, anchorsOf(orderId, attribution.parts, await postingsOfOrder(tx, orderId)));
    // One decision at a time about the payer's refunds. The rows of the ledgers are not locked: nothing may change them.
    await lockAccounts(tx, [refund.userId], sealing);
    if (moveId !== undefined && (await wasCarriedOut(tx, moveId, orderId))) return present();
    const anchors = anchorsOf(orderId, attribution.parts, await postingsOfOrder(tx, orderId));
    const moves = decideHold(orderId, anchors, to, anchorIds);
    if (!moves) throw fail("holdState", { orderId, anchorIds, to });
    if (moveId !== undefined && moves.length > 0) await noteCarriedOut(tx, moveId, orderId);
    await insertHolds(tx, orderId, moves, reason, sealing);
    const events = moves.map((move) => eventOf(order, to, move));
    await wallet.outbox.addAll(tx, events);
    return present();
  });
  wallet.outbox.wake();
  return answer;
}
