import { z } from "zod";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { action } from "../../action-contract.ts";
import { call, type ParamsOf } from "../../contracts.ts";
import { externalReference, id, orderId, reason, userId } from "../../fields.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { adjustedCoins } from "../../platform/money.contract.ts";
import { shownPayOrder } from "../../shown-money.ts";
import { staffEndpoint } from "./endpoint.ts";
import { shownAffected } from "./orders.ts";

/**
 * What moves money by hand. The staff service checks the session and the right again, writes each move before anything
 * happens, and asks for another person where more than FOUR_EYES_COINS is moved on one account in 24 hours.
 */

const waits = z.object({
  state: z.enum(["proposed", "approved", "declined", "expired"]).meta({
    description:
      "proposed: another person must approve it. approved: it is written and will be carried out, also if nobody asks " +
      "again. declined, expired: what became of the proposal of this id.",
  }),
  proposalId: z.string(),
  expiresTime: z.string().nullable(),
});

/** The answer of a move: what was done, or the proposal. */
const moved = <Shape extends z.ZodRawShape>(done: z.ZodObject<Shape>) =>
  z.union([z.object({ ...done.shape, state: z.literal("done") }), waits]);

const description =
  "Where more than FOUR_EYES_COINS is moved by hand on one account in 24 hours nothing moves yet: another person must " +
  "approve it within 72 hours.";

/** The result was checked by no schema: it is the answer of the service that carried the move out. */
async function moveMoney<Done>(
  ctx: CallingContext,
  session: string,
  move: ParamsOf<"staff.moveMoney">["move"],
): Promise<Done | z.input<typeof waits>> {
  const answer = await call(ctx, "staff.moveMoney", { session, move });
  return answer.state === "done" ? ({ ...answer.result, state: "done" } as Done) : answer;
}

/** Params as clients send them. */
const sent = <Shape extends z.ZodRawShape>(shape: Shape) => fromHttp(action(shape).returns<never>());

const movedOrder = moved(shownPayOrder);
const movedShares = moved(shownAffected);
const movedHold = moved(
  z.object({
    ...{ holdId: z.string(), userId: shownUserId, points: z.int(), time: z.string() },
    releasedTime: z.string().nullable(),
  }),
);
const movedCoins = moved(z.object({ userId: shownUserId, balanceAfter: z.int() }));
const movedPayout = moved(z.object({ userId: shownUserId, points: z.int(), payoutId: z.string(), time: z.string() }));

export const moneyEndpoints = [
  staffEndpoint({
    path: "order/refund",
    summary: "Refunds a paid order once and takes its coins back",
    description,
    right: "refund",
    params: sent({ orderId, reason }),
    result: movedOrder,
    failures: ["payOrderUnknown", "payOrderState"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedOrder>>(ctx, session, { kind: "refund", ...params }),
  }),
  staffEndpoint({
    path: "order/release",
    summary:
      "Credits a paid order whose credit is held, since its payment was refunded, wholly or in part (creditHeld)",
    description,
    right: "release",
    params: sent({ orderId, reason }),
    result: movedOrder,
    failures: ["payOrderUnknown", "payOrderState"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedOrder>>(ctx, session, { kind: "release", ...params }),
  }),
  staffEndpoint({
    path: "wallet/adjust",
    summary: "Gives coins (above 0) or takes them (below 0), once for each adjustId",
    description,
    right: "adjust",
    params: sent({ userId, coins: adjustedCoins, reason, adjustId: externalReference }),
    result: movedCoins,
    failures: ["userUnknown", "balanceShort", "idempotencyConflict"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedCoins>>(ctx, session, { kind: "adjust", ...params }),
  }),
  staffEndpoint({
    path: "wallet/payout",
    summary: "Deducts what an anchor was paid from her free income, once for each payoutId; 100 points are a coin",
    description,
    right: "payout",
    params: sent({ userId, points: id, payoutId: externalReference, reason }),
    result: movedPayout,
    failures: ["balanceShort", "idempotencyConflict", "accountUnusable"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedPayout>>(ctx, session, { kind: "payout", ...params }),
  }),
  staffEndpoint({
    path: "income/hold",
    summary: "Holds back the shares of a refunded order's gifts, once, of every anchor or of the named one",
    description,
    right: "holds",
    params: sent({ orderId, anchorId: userId.optional(), reason }),
    result: movedShares,
    failures: ["refundUnknown", "holdState"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedShares>>(ctx, session, { kind: "hold", ...params }),
  }),
  staffEndpoint({
    path: "income/release",
    summary: "Releases the held shares; they cannot be held again",
    description,
    right: "holds",
    params: sent({ orderId, anchorId: userId.optional(), reason }),
    result: movedShares,
    failures: ["refundUnknown", "holdState"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedShares>>(ctx, session, { kind: "releaseHold", ...params }),
  }),
  staffEndpoint({
    path: "income/holdFree",
    summary: "Holds back any part of an anchor's free income, once for each holdId; 100 points are a coin",
    description,
    right: "holds",
    params: sent({ userId, points: id, holdId: externalReference, reason }),
    result: movedHold,
    failures: ["balanceShort", "idempotencyConflict"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedHold>>(ctx, session, { kind: "holdFree", ...params }),
  }),
  staffEndpoint({
    path: "income/releaseFree",
    summary: "Gives such a part back, for ever",
    description,
    right: "holds",
    params: sent({ holdId: externalReference, reason }),
    result: movedHold,
    failures: ["holdState"],
    run: (ctx, params, { session }) =>
      moveMoney<z.input<typeof movedHold>>(ctx, session, { kind: "releaseFree", ...params }),
  }),
];
