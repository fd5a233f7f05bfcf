import type { Context } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { call } from "../../contracts.ts";
import { erasureOf } from "../erasures/erasure-store.ts";
import { requireErasable } from "../erasures/erasures.ts";
import type { MoneyMove } from "../proposals.contract.ts";
import { coinsOfPoints, type Instruction } from "./instruction.ts";

/** What a move will do, as the services know it when a person asks for it. */

export interface Prepared {
  readonly instruction: Instruction;
  /** Whose money moves. */
  readonly userId: string;
  /** The coins of each account, for four eyes: magnitudes. None: it moves nothing, and always needs another person. */
  readonly accounts: readonly { readonly userId: string; readonly coins: number }[];
}

/** What a repeat of a move about holds gets that has nothing to move any more. */
export interface Repeated {
  readonly result: Record<string, unknown>;
}

type Calling = Pick<Context, "call">;

/** The number of a paid order's status. */
const paid = 2;
/** The marks of an order whose credit can be released. */
const releasable = new Set(["creditHeld", "creditChanged"]);

/**
 * The instruction of a move. It is what will be carried out, whatever changes until then. Fails: userUnknown,
 * payOrderUnknown, payOrderState, refundUnknown, holdState, erasureBlocked, unavailable.
 */
export async function prepare(
  calling: Calling,
  staff: MysqlState,
  move: MoneyMove,
  operator: string,
): Promise<Prepared | Repeated> {
  switch (move.kind) {
    case "refund":
    case "release":
      return ofOrder(calling, move, operator);
    case "hold":
    case "releaseHold":
      return ofShares(calling, move, operator);
    case "releaseFree":
      return ofFreeHold(calling, move.holdId);
    case "adjust": {
      const { kind, userId, coins, adjustId } = move;
      // The wallet makes an account for any id.
      await call(calling, "user.profile", { userId });
      return prepared({ kind, userId, coins, adjustId }, userId, Math.abs(coins));
    }
    case "payout": {
      const { kind, userId, points, payoutId } = move;
      return prepared({ kind, userId, points, payoutId }, userId, coinsOfPoints(points));
    }
    case "erase":
      return ofUser(calling, staff, move);
    case "holdFree": {
      const { kind, userId, points, holdId } = move;
      return prepared({ kind, userId, points, holdId }, userId, coinsOfPoints(points));
    }
  }
}

const prepared = (instruction: Instruction, userId: string, coins: number): Prepared => ({
  ...{ instruction, userId, accounts: [{ userId, coins }] },
});

async function ofUser(
  calling: Calling,
  staff: MysqlState,
  { kind, userId, giveUp }: Extract<MoneyMove, { kind: "erase" }>,
): Promise<Prepared | Repeated> {
  await call(calling, "user.profile", { userId });
  const begun = await erasureOf(staff.mysql, userId);
  if (begun) return { result: { userId, state: begun.state } };
  await requireErasable(calling, staff, { userId, giveUp });
  return { instruction: { kind, userId, giveUp }, userId, accounts: [] };
}

async function ofOrder(
  calling: Calling,
  { kind, orderId }: Extract<MoneyMove, { kind: "refund" | "release" }>,
  operator: string,
): Promise<Prepared> {
  const { userId, coinNum, status, parked } = await call(calling, "payment.findOrder", { orderId, operator });
  const allows = kind === "refund" ? status === paid : parked.some((mark) => releasable.has(mark));
  if (!allows) throw fail("payOrderState", { orderId, status });
  return prepared({ kind, orderId }, userId, coinNum);
}

async function ofShares(
  calling: Calling,
  { kind, orderId, anchorId }: Extract<MoneyMove, { kind: "hold" | "releaseHold" }>,
  operator: string,
): Promise<Prepared | Repeated> {
  const [from, to] = kind === "hold" ? (["open", "held"] as const) : (["held", "released"] as const);
  const about = { orderId, anchorId, limit: 1, operator };
  // Those alone that can move: an answer has room for about a thousand, and the others wait for the next call.
  const affected = await call(calling, "wallet.affectedGifts", { ...about, state: from });
  // A wallet of the release before answers all anchors, in any state.
  const meant = affected.anchors.filter(
    (anchor) => anchor.sharePoints > 0 && (anchorId === undefined || anchor.anchorId === anchorId),
  );
  const moving = meant.filter(({ state }) => state === from);
  const [first] = moving;
  if (first === undefined) {
    const { shares } = affected as Partial<Pick<typeof affected, "shares">>;
    if ((shares?.[to] ?? meant.filter(({ state }) => state === to).length) === 0)
      throw fail("holdState", { orderId, anchorId, to });
    const { gifts: _gifts, nextCursor: _next, ...all } = await call(calling, "wallet.affectedGifts", about);
    return { result: { ...all } };
  }
  return {
    instruction: { kind, orderId, anchorIds: moving.map((anchor) => anchor.anchorId) },
    userId: moving.length === 1 ? first.anchorId : affected.userId,
    accounts: moving.map((anchor) => ({ userId: anchor.anchorId, coins: coinsOfPoints(anchor.sharePoints) })),
  };
}

async function ofFreeHold(calling: Calling, holdId: string): Promise<Prepared | Repeated> {
  const hold = await call(calling, "wallet.freeHold", { holdId });
  if (!hold) throw fail("holdState", { holdId });
  const { userId, points, state } = hold;
  if (state === "released") return { result: { ...hold } };
  return prepared({ kind: "releaseFree", userId, points, holdId }, userId, coinsOfPoints(points));
}
