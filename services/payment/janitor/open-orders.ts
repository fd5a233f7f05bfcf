import type { PaymentDesk } from "../desk.ts";
import { takeAnswer } from "../notices.ts";
import { isOpen } from "../order-state.ts";
import { insertNotice, moveOrder, orderById } from "../payment-store.ts";
import {
  type PaymentProvider,
  type ProviderOrder,
  type Providers,
  payChannelOf,
  type VerifiedNotice,
} from "../providers/provider.ts";
import { postponeWatch, removeWatches, type Watch } from "./janitor-store.ts";
import { nextLook } from "./watch-times.ts";

/**
 * Asks the provider about an order that is still open, and does what it says: a payment whose notice never came is taken
 * as if it had; one that is not paid when its time is over is closed at the provider first and then here.
 */
export async function lookAfter(desk: PaymentDesk, providers: Providers, watch: Watch): Promise<void> {
  const { orderId } = watch;
  const channel = payChannelOf(watch.payChannel);
  const provider = channel && providers.get(channel);
  try {
    if (!provider) throw new Error("its channel is not configured any more");
    if (await settled(desk, provider, watch)) return await removeWatches(desk.mysql, [orderId]);
    await postponeWatch(desk.mysql, orderId, nextLook(watch.asked + 1, Date.now(), watch.expireTime));
  } catch (error) {
    const next = nextLook(watch.asked + 1, Date.now(), watch.expireTime);
    desk.logger.warn(
      { err: error, orderId, channel, next },
      "an open order could not be asked about: asked again later",
    );
    await postponeWatch(desk.mysql, orderId, next);
  }
}

/** Whether nothing more is to be asked about the order. */
async function settled(desk: PaymentDesk, provider: PaymentProvider, watch: Watch): Promise<boolean> {
  const expired = watch.expireTime.getTime() <= Date.now();
  let found = await provider.queryOrder(watch.orderId);
  if (expired && (found.says === "open" || found.says === "unknown")) {
    await provider.closeOrder(watch.orderId);
    // It may have been paid between the two.
    found = await provider.queryOrder(watch.orderId);
  }
  if (found.says === "paid" || found.says === "refunded" || (found.says === "closed" && !expired)) {
    await takeAnswer(desk, provider, noticeOf(watch, found));
    // An answer that does not fit the order is said again, as an error, until somebody has looked at it.
    const order = await orderById(desk.mysql, watch.orderId);
    return !order || !isOpen(order.state);
  }
  if (!expired || found.says === "open") return false;
  await expire(desk, provider, watch.orderId);
  return true;
}

function noticeOf({ orderId, amount }: Watch, found: ProviderOrder): VerifiedNotice {
  const common = { noticeId: `asked-${orderId}`, orderId };
  if (found.says === "paid" || found.says === "refunded") {
    return { ...common, ...found };
  }
  return { ...common, says: "cancelled", transactionId: "", amount, time: new Date() };
}

/** The provider takes no payment of it any more, and neither do we; not moved where a notice was faster. */
async function expire(desk: PaymentDesk, { channel }: PaymentProvider, orderId: string): Promise<void> {
  const expired = await desk.mysql.transaction(async (tx) => {
    if (!(await moveOrder(tx, orderId, "invalid"))) return false;
    await insertNotice(tx, {
      ...{
        channel,
        outcome: "applied",
        reason: "expired, closed at the provider",
        noticeId: `asked-${orderId}`,
        orderId,
      },
      ...{ transactionId: null, amount: null, body: "", ip: "asked", requestId: null },
    });
    return true;
  });
  if (expired) desk.logger.info({ orderId, channel }, "an unpaid order expired and was closed at the provider");
}
