import { fail } from "../../../broker/failure.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import type { WalletStory } from "../../wallet/staff.contract.ts";
import { foundUnlessAway, unlessAway } from "../answers.ts";
import { chargeOf, giftStory } from "./gift-story.ts";
import { paymentStory } from "./payment-story.ts";
import type { Story, StoryParts, StoryProposal } from "./story.ts";

/** Whether the ledger has a row of the order, and of which kind the order is. */
function kindByLedger(wallet: WalletStory | undefined, orderId: string): Story["kind"] | undefined {
  if (!wallet || wallet.trades.length === 0) return undefined;
  return chargeOf(wallet, orderId) ? "gift" : "payment";
}

/**
 * Asks the services at the same time what they have of an order, and puts its story together. `proposals`: what the staff
 * service has of it. Fails: giftOrderUnknown, where no service has anything of it; unavailable, where one that may have it
 * is away and no other one has anything.
 */
export async function gatherStory(
  ctx: CallingContext,
  orderId: string,
  proposals: Promise<StoryProposal[] | undefined>,
): Promise<Story> {
  const [payment, gift, wallet, proposed] = await Promise.all([
    foundUnlessAway(call(ctx, "payment.orderStory", { orderId }), "payOrderUnknown"),
    foundUnlessAway(call(ctx, "gift.orderStory", { orderId }), "giftOrderUnknown"),
    unlessAway(call(ctx, "wallet.orderStory", { orderId })),
    proposals,
  ]);
  const parts: StoryParts = { orderId, gift, payment, wallet, proposals: proposed };
  const kind = payment ? "payment" : gift ? "gift" : kindByLedger(wallet, orderId);
  if (kind === "payment") return paymentStory(parts);
  if (kind === undefined) {
    if (payment === undefined || gift === undefined)
      throw fail("unavailable", { what: "the story of an order", orderId });
    throw fail("giftOrderUnknown", { orderId });
  }
  if (gift?.state !== "succeeded") return giftStory(parts);
  const { roomId } = gift;
  return giftStory({ ...parts, frame: await unlessAway(call(ctx, "im-router.giftFrame", { roomId, orderId })) });
}
