import { fail } from "../../../broker/failure.ts";
import type { CallingContext } from "../../../mixins/http/endpoint-form.ts";
import { call } from "../../contracts.ts";
import type { WalletStory } from "../../wallet/staff.contract.ts";
import { foundUnlessAway, unlessAway } from "../answers.ts";
import { chargeOf, giftStory } from "./gift-story.ts";
import { kindByLetters } from "./letters.ts";
import { paymentStory } from "./payment-story.ts";
import type { StaffPart } from "./staff-part.ts";
import type { Story, StoryParts } from "./story.ts";

/** Whether the ledger has a row of the order, and of which kind the order is. */
function kindByLedger(wallet: WalletStory | undefined, orderId: string): Story["kind"] | undefined {
  if (!wallet || wallet.trades.length === 0) return undefined;
  return chargeOf(wallet, orderId) ? "gift" : "payment";
}

/**
 * Asks the services what they have of an order, and puts its story together. Gift searches its queue, so it is asked only
 * for what payment does not have; the ledger after both, so that it has what they say it must have. `staff`: what the
 * staff service has of it. Fails: giftOrderUnknown, where no service has anything of it; unavailable, where one that may
 * have it is away and no other one has anything.
 */
export async function gatherStory(
  ctx: CallingContext,
  orderId: string,
  staff: Promise<StaffPart | undefined>,
): Promise<Story> {
  const [[payment, gift, wallet], persons] = await Promise.all([ownParts(ctx, orderId), staff]);
  const parts: StoryParts = {
    ...{ orderId, gift, payment, wallet },
    ...{ proposals: persons?.proposals, letters: persons?.letters },
  };
  const known = payment ? "payment" : gift ? "gift" : kindByLedger(wallet, orderId);
  const kind = known ?? kindByLetters(parts.letters);
  if (kind === "payment") return paymentStory(parts);
  if (kind === undefined) {
    if (payment === undefined || gift === undefined || persons === undefined)
      throw fail("unavailable", { what: "the story of an order", orderId });
    throw fail("giftOrderUnknown", { orderId });
  }
  if (gift?.state !== "succeeded") return giftStory(parts);
  const { roomId } = gift;
  return giftStory({ ...parts, frame: await unlessAway(call(ctx, "im-router.giftFrame", { roomId, orderId })) });
}

async function ownParts(ctx: CallingContext, orderId: string) {
  const payment = await foundUnlessAway(call(ctx, "payment.orderStory", { orderId }), "payOrderUnknown");
  const gift = payment ? null : await foundUnlessAway(call(ctx, "gift.orderStory", { orderId }), "giftOrderUnknown");
  return [payment, gift, await unlessAway(call(ctx, "wallet.orderStory", { orderId }))] as const;
}
