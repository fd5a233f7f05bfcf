import { z } from "zod";
import { isFailure } from "../../../broker/failure.ts";
import { failShowing } from "../../../mixins/http/answer.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import { coinAmount, externalReference, id } from "../../fields.ts";
import { shownUserId } from "../../http-fields.ts";
import { adjustedCoins, adjustReason, proposalStates } from "../../platform/money.contract.ts";
import { serverEndpoint } from "./server-endpoint.ts";

/** Money that the platform orders. The platform service checks the presented key itself. */

/** Of a 503: the order is written and will be carried out, also where nobody repeats it. */
const ordered = z.object({ ordered: z.literal(true) });

/**
 * Fails: userUnknown, where nobody has the id. Coins for it would be nobody's: the wallet makes an account for any id.
 */
async function requireUser(ctx: CallingContext, userId: string): Promise<void> {
  await call(ctx, "user.profile", { userId });
}

/** The answer of the platform service; an order that stands is shown as one in its 503. */
async function orderedBy<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { data } = (error ?? {}) as { data?: { ordered?: unknown } };
    if (isFailure(error, "unavailable") && data?.ordered === true) throw failShowing("unavailable", { ordered: true });
    throw error;
  }
}

const balanceAfter = z.int().meta({
  description: "What the account had right after the coins moved, before they paid off a debt.",
});
const stands =
  "A 503 with `data.ordered` is of an order that is written: it will be carried out, whether or not you repeat the " +
  "request. After a 503 without it nobody knows; the same request gets the outcome.";
const idRule = "1 to 64 visible ASCII characters without blanks, of your own. It identifies the order for ever.";

export const walletOrderEndpoints = [
  serverEndpoint({
    path: "wallet/credit",
    summary: "Credits coins that you sold yourself",
    description: `Once for each \`externalOrderId\`, with whatever Idempotency-Key. Debts are paid off first. ${stands}`,
    scope: "wallet:credit",
    write: true,
    refers: { userId: "user" },
    params: { coins: coinAmount, externalOrderId: externalReference.meta({ description: idRule }) },
    result: z.object({ userId: shownUserId, balanceAfter }),
    unsure: ordered,
    async run(ctx, { userId, coins, externalOrderId }, { apiKey }) {
      await requireUser(ctx, userId);
      return orderedBy(call(ctx, "platform.credit", { apiKey, userId, coins, externalOrderId }));
    },
  }),

  serverEndpoint({
    path: "wallet/adjust",
    summary: "Gives coins (above 0) or takes them (below 0)",
    description:
      "Once for each Idempotency-Key. What is given pays off debts first; nothing is taken below 0. Where what " +
      "was adjusted on the account, and what staff moved on it, comes to more than FOUR_EYES_COINS in 24 hours, given and " +
      "taken added up, nothing moves: the answer has a `proposalId`. A person of the platform's staff approves or declines " +
      "it within 72 hours, or it expires. The same request, sent again, gets the `state` that it has then, or the balance " +
      `where it was approved. ${stands}`,
    scope: "wallet:adjust",
    write: true,
    rerun: true,
    refers: { userId: "user" },
    params: { coins: adjustedCoins, reason: adjustReason },
    result: z.object({
      userId: shownUserId,
      balanceAfter: balanceAfter.optional(),
      proposalId: z.string().optional().meta({ description: "Where nothing moved: it needs another person." }),
      state: z.enum(proposalStates).optional().meta({ description: "Of the proposal." }),
    }),
    failures: ["balanceShort"],
    unsure: ordered,
    async run(ctx, { userId, coins, reason }, { apiKey, writeId }) {
      await requireUser(ctx, userId);
      return orderedBy(call(ctx, "platform.adjust", { apiKey, userId, coins, reason, writeId }));
    },
  }),

  serverEndpoint({
    path: "wallet/payout",
    summary: "Takes what you have paid to an anchor from her free income",
    description: `Once for each \`payoutId\`, with whatever Idempotency-Key. Points are hundredths of a coin. ${stands}`,
    scope: "wallet:payout",
    write: true,
    refers: { userId: "user" },
    params: { points: id, payoutId: externalReference.meta({ description: idRule }) },
    result: z.object({ userId: shownUserId }),
    failures: ["balanceShort", "accountUnusable"],
    unsure: ordered,
    async run(ctx, { userId, points, payoutId }, { apiKey }) {
      await requireUser(ctx, userId);
      return orderedBy(call(ctx, "platform.payout", { apiKey, userId, points, payoutId }));
    },
  }),
];
