import { randomUUID } from "node:crypto";
import type { Context } from "moleculer";
import { z } from "zod";
import { fail, failureName, isUnavailable, mayHaveHappened } from "../../broker/failure.ts";
import { traceOf } from "../../broker/tracing/tracing.middleware.ts";
import type { FailureName } from "../../config/errors.ts";
import { failShowing } from "../../mixins/http/answer.ts";
import { orderIdOf } from "../gift-order-id.ts";
import { restrictionsAt } from "../restrictions.mixin.ts";
import { type GiftParams, giftGroups } from "./gift-groups.ts";

/** The business outcomes of a gift besides its acceptance. */
export const giftFailures = [
  "giftUnknown",
  "giftNotSent",
  "giftGated",
  "giftToSelf",
  "roomNotLive",
  "balanceShort",
  "idempotencyConflict",
  "accountUnusable",
  "banned",
] as const satisfies readonly FailureName[];

/**
 * Whether a gift that was not answered with 200 may be accepted. A repeat may have been accepted by its first request.
 * So with a request id only an answer of the gift service itself, after its lookup of the order, is a certain no.
 */
function mayBeAccepted(error: unknown, requestId: string | undefined): boolean {
  const { data } = error as { data?: { beforeLookup?: unknown } };
  const withoutLookup = isUnavailable(error) && (failureName(error) === undefined || data?.beforeLookup === true);
  return mayHaveHappened(error) || (requestId !== undefined && withoutLookup);
}

/** The code and the text that the platform's gate gave, each where it gave one. */
export const gateWords = z.object({
  code: z.int().optional().meta({ description: "The platform's own code." }),
  msg: z.string().optional().meta({ description: "The platform's own text." }),
});

function wordsOfGate(data: unknown): z.output<typeof gateWords> {
  return gateWords.safeParse(data ?? {}).data ?? {};
}

/**
 * Sends a gift, of the user's own request or of the platform's: accepted durably when it returns. The same `requestId` of
 * the same user is the same order, whoever sends it. Fails: `giftFailures`, tooMany; unavailable, which shows the
 * `orderId` where the gift may be accepted; giftGated shows `gateWords`.
 */
export async function sendGift(
  ctx: Pick<Context, "broker" | "requestID" | "meta">,
  params: GiftParams,
): Promise<{ orderId: string }> {
  const { userId, requestId, roomId } = params;
  const gift: GiftParams = { ...params };
  if (requestId === undefined) gift.orderId = randomUUID();
  try {
    gift.traceparent = traceOf(ctx);
    gift.isBanned = restrictionsAt(ctx.broker).isBanned(userId, roomId) || undefined;
    const answer = await giftGroups(ctx.broker).send(gift, ctx.requestID ?? undefined);
    if ("orderId" in answer) return answer;
    if (answer.failure === "giftGated") throw failShowing("giftGated", wordsOfGate(answer.data));
    throw fail(answer.failure, answer.data);
  } catch (error) {
    if (!mayBeAccepted(error, requestId)) throw error;
    throw failShowing("unavailable", { orderId: gift.orderId ?? orderIdOf(userId, requestId as string) });
  }
}
