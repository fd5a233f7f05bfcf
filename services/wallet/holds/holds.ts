import { fail } from "../../../broker/failure.ts";
import type { LedgerServers } from "../buckets/ledger-servers.ts";
import { refundId } from "../business-ids.ts";
import { type DebtEntry, debtHistory, paidOffBefore } from "../debts.ts";
import type { AffectedGifts, AffectedIncome } from "../income.contract.ts";
import { wholeCoins } from "../points.ts";
import { joinedDebts } from "../statement.ts";
import { readDebts } from "../statement-store.ts";
import { withinAnswer } from "./answer-size.ts";
import type { Attribution, GiftPart } from "./attribution.ts";
import { type AnchorPart, anchorsOf, countShares, type HoldRow, sharesIn } from "./hold-decision.ts";
import type { HoldState } from "./hold-state.ts";
import { attribute, type FoundRefund, findRefund, postingsOn } from "./refunds.ts";

/** A refund, the gifts of its missing coins, and the payer's debts: none of what is written of holds changes these. */
export interface AttributedRefund extends FoundRefund {
  readonly attribution: Attribution;
  readonly debts: readonly DebtEntry[];
}

/** Fails: refundUnknown. */
export async function attributedRefund(servers: LedgerServers, orderId: string): Promise<AttributedRefund> {
  const found = await findRefund(servers, orderId);
  const { userId } = found.refund;
  const [attribution, debts] = [await attribute(servers, found), await servers.each((db) => readDebts(db, userId))];
  return { ...found, attribution, debts: servers.isSeveral ? joinedDebts(debts) : debts.flat() };
}

/** What is answered of a refund whose holds and releases are these. */
export function describe(
  { refund, attribution, debts }: AttributedRefund,
  anchors: readonly AnchorPart[],
  only?: HoldState,
): AffectedIncome {
  const { orderId, userId, taken, shortfall, time } = refund;
  const { uncovered } = attribution;
  const { owing, changes } = debtHistory(debts);
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

/** The anchors of a refund with the states that these postings give their shares. */
export const anchorsBy = ({ refund, attribution }: AttributedRefund, rows: readonly HoldRow[]): AnchorPart[] =>
  anchorsOf(refund.orderId, attribution.parts, rows);

interface Asked {
  readonly orderId: string;
  readonly anchorId?: string | undefined;
  readonly state?: HoldState | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** The parts after the cursor, which is the id of a gift's row. Ids of several servers do not follow each other. */
function after(
  { isSeveral }: LedgerServers,
  parts: readonly GiftPart[],
  cursor: string | undefined,
): readonly GiftPart[] {
  if (!cursor) return parts;
  if (!isSeveral) return parts.filter(({ gift }) => BigInt(gift.id) < BigInt(cursor));
  const at = parts.findIndex(({ gift }) => gift.id === cursor);
  if (at < 0) throw fail("invalidParam", { field: "cursor" });
  return parts.slice(at + 1);
}

/**
 * The gifts that a refunded order's missing coins were spent on, newest first; with `anchorId` those of this anchor. With
 * `state` the anchors are those whose share is above 0 and in this state. Fails: refundUnknown, where no ledger has (yet)
 * a refund of the order; invalidParam, where on several servers the cursor is of no such gift.
 */
export async function affectedGifts(
  servers: LedgerServers,
  { orderId, anchorId, state, cursor, limit }: Asked,
): Promise<AffectedGifts> {
  const attributed = await attributedRefund(servers, orderId);
  const parts = attributed.attribution.parts.filter(({ gift }) => anchorId === undefined || gift.anchorId === anchorId);
  const rows = (await postingsOn(servers, orderId)).map(({ posting }) => posting);
  const below = after(servers, parts, cursor);
  const page = below.slice(0, limit);
  return {
    ...describe(attributed, anchorsOf(orderId, parts, rows), state),
    gifts: page.map(({ gift, coins, sharePoints }) => ({
      ...{ orderId: gift.orderId, anchorId: gift.anchorId, price: gift.coins, coins },
      ...{ share: wholeCoins(sharePoints), sharePoints },
      time: gift.time.toISOString(),
    })),
    nextCursor: below.length > limit ? (page.at(-1)?.gift.id ?? null) : null,
  };
}
