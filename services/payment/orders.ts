import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { PaymentDesk } from "./desk.ts";
import { insertWatch } from "./janitor/janitor-store.ts";
import { expiryOf, firstLook } from "./janitor/watch-times.ts";
import { isPaySource, newOrderId, type Order, payOrderOf } from "./order.ts";
import { parkedOf } from "./parked-store.ts";
import { insertOrder, lockOrder, moveOrder, orderById } from "./payment-store.ts";
import type { Offer } from "./product.ts";
import { type Providers, payChannelOf, payChannels } from "./providers/provider.ts";
import { refundWithin } from "./settlement.ts";

interface PayRequest {
  userId: string;
  offer: Offer | null;
  paySource: number;
  payChannel: number;
  requestId: string | null;
}

/**
 * Makes an order of an offer, fixed as it is now, and asks the provider how it is paid. The order is `paying` when this returns.
 * Fails: invalidParam, payChannelClosed; unavailable, which may leave an order behind that expires unpaid.
 */
export async function startOrder(desk: PaymentDesk, providers: Providers, request: PayRequest) {
  const { userId, offer, paySource, payChannel } = request;
  const channel = payChannelOf(payChannel);
  if (!offer || !channel || !isPaySource(paySource))
    throw fail("invalidParam", { product: offer?.productId ?? "unknown", paySource, payChannel });
  const provider = providers.get(channel);
  if (!provider) throw fail("payChannelClosed", { channel });

  const order: Order = {
    orderId: newOrderId(),
    productId: offer.productId,
    userId,
    source: paySource,
    payChannel: payChannels[channel],
    state: "waiting",
    amount: offer.price,
    coins: offer.coins,
    bizCode: offer.bizCode,
    transactionId: null,
    payTime: null,
  };
  const now = Date.now();
  await desk.mysql.transaction(async (tx) => {
    await insertOrder(tx, order);
    await insertWatch(tx, order.orderId, expiryOf(now), firstLook(now));
  });
  const expires = new Date(now + limits.payment.orderExpiresMs);
  const { payUrl } = await provider.createPayment(order, offer.name, expires);
  // Not moved where a notice was faster: the order is ahead of `paying` then.
  await moveOrder(desk.mysql, order.orderId, "paying");
  const { orderId, productId, amount } = order;
  desk.logger.info({ orderId, userId, productId, payChannel, requestId: request.requestId }, "order made");
  const expiresInS = Math.max(0, Math.floor((expires.getTime() - Date.now()) / 1_000));
  return { orderId, payUrl, amount, expiresInS };
}

/** @throws payOrderUnknown */
export async function requireOrder(desk: PaymentDesk, orderId: string): Promise<Order> {
  const order = await orderById(desk.mysql, orderId);
  if (!order) throw fail("payOrderUnknown", { orderId });
  return order;
}

/** An order of the user's own, as its payer sees it. @throws payOrderUnknown */
export async function orderForPayer(desk: PaymentDesk, { orderId, userId }: { orderId: string; userId: string }) {
  const order = await requireOrder(desk, orderId);
  if (order.userId !== userId) throw fail("payOrderUnknown", { orderId });
  return payOrderOf(order);
}

/** An order with what somebody has to look at about it. @throws payOrderUnknown */
export async function orderForOperators(desk: PaymentDesk, orderId: string) {
  const order = await requireOrder(desk, orderId);
  return { ...payOrderOf(order), userId: order.userId, parked: await parkedOf(desk.mysql, orderId) };
}

/**
 * Refunds a paid order, once; what undoes the credit, and the call for its money, are on their way when this returns. A
 * paid order that is not credited has nothing to take back. Fails: payOrderUnknown, payOrderState.
 */
export async function refundOrder(
  desk: PaymentDesk,
  orderId: string,
  reason: string,
  requestId: string | null,
): Promise<Order> {
  const refunded = await desk.mysql.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (!order) throw fail("payOrderUnknown", { orderId });
    if (!(await refundWithin(desk, tx, order, { reason, origin: "operator" }, requestId)))
      throw fail("payOrderState", { orderId, state: order.state });
    return { ...order, state: "refunded" as const };
  });
  desk.outbox.wake();
  desk.logger.info({ orderId, userId: refunded.userId, amount: refunded.amount, requestId }, "order refunded");
  return refunded;
}
