import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { noteCarriedOut, wasCarriedOut } from "./carried-out-store.ts";
import { isPaySource, moneyGone, newOrderId, type Order, payOrderOf } from "./order.ts";
import { parkedOf, parkOrder, unparkOrder } from "./parked-store.ts";
import type { PaymentContext } from "./payment-context.ts";
import { insertOrder, lockOrder, moveOrder, orderById } from "./payment-store.ts";
import type { Offer } from "./product.ts";
import type { OpenProviders } from "./providers/provider.ts";
import { isPayChannel, providerOfChannel } from "./providers.contract.ts";
import { markRefunded, sendCredit } from "./settlement.ts";
import { insertWatch } from "./watches/order-watch-store.ts";
import { expiryOf, firstLook } from "./watches/watch-times.ts";

interface PayRequest {
  userId: string;
  offer: Offer | null;
  paySource: number;
  payChannel: number;
  requestId: string | null;
}

/**
 * Makes an order of an offer with its present price and coins, and asks the provider for a way to pay. The order is
 * `paying` when this returns. Fails: invalidParam, payChannelClosed; unavailable, which may leave an order that expires
 * unpaid.
 */
export async function startOrder(context: PaymentContext, providers: OpenProviders, request: PayRequest) {
  const { userId, offer, paySource, payChannel } = request;
  if (!offer || !isPayChannel(payChannel) || !isPaySource(paySource))
    throw fail("invalidParam", { product: offer?.productId ?? "unknown", paySource, payChannel });
  const provider = providers.get(providerOfChannel(payChannel)?.name ?? "")?.provider;
  if (!provider) throw fail("payChannelClosed", { payChannel });

  const terms = {
    orderId: newOrderId(),
    productId: offer.productId,
    userId,
    payChannel,
    amount: offer.price,
    coins: offer.coins,
    bizCode: offer.bizCode,
  };
  const order: Order = {
    ...terms,
    source: paySource,
    state: "waiting",
    transactionId: null,
    payTime: null,
    termsMac: context.macs.ofTerms(terms),
    paidMac: null,
  };
  const now = Date.now();
  await context.mysql.transaction(async (tx) => {
    await insertOrder(tx, order);
    await insertWatch(tx, order.orderId, expiryOf(now), firstLook(now));
  });
  const expires = new Date(now + limits.payment.orderExpiresMs);
  const { payUrl } = await provider.createPayment(order, offer.name, expires);
  // It does not move where a webhook was faster: then the order is past `paying`.
  await moveOrder(context.mysql, order.orderId, "paying");
  const { orderId, productId, amount } = order;
  context.logger.info({ orderId, userId, productId, payChannel, requestId: request.requestId }, "order made");
  const expiresInS = Math.max(0, Math.floor((expires.getTime() - Date.now()) / 1_000));
  return { orderId, payUrl, amount, expiresInS };
}

/** @throws payOrderUnknown */
async function requireOrder(context: PaymentContext, orderId: string): Promise<Order> {
  const order = await orderById(context.mysql, orderId);
  if (!order) throw fail("payOrderUnknown", { orderId });
  return order;
}

/** An order of the user, for its payer. @throws payOrderUnknown */
export async function orderForPayer(context: PaymentContext, { orderId, userId }: { orderId: string; userId: string }) {
  const order = await requireOrder(context, orderId);
  if (order.userId !== userId) throw fail("payOrderUnknown", { orderId });
  return payOrderOf(order);
}

/** An order with the reasons why a person must examine it. @throws payOrderUnknown */
export async function orderForOperators(context: PaymentContext, orderId: string) {
  const order = await requireOrder(context, orderId);
  return { ...payOrderOf(order), userId: order.userId, parked: await parkedOf(context.mysql, orderId) };
}

/** A decision of staff about an order. */
interface Decision {
  readonly orderId: string;
  readonly reason: string;
  /** The move of staff that is carried out: once, also where the order has moved on since. */
  readonly moveId?: string;
}

/**
 * Refunds a paid order, once. When this returns, the message that takes back the coins and the request for the money
 * are stored. A paid order that is not credited has no coins to take back. A repeat of a move does nothing. Fails:
 * payOrderUnknown; payOrderState, also where the order's row is not as payment wrote it: then it is parked as
 * refundChanged.
 */
export async function refundOrder(
  context: PaymentContext,
  { orderId, reason, moveId }: Decision,
  requestId: string | null,
): Promise<Order> {
  const { order, result } = await context.mysql.transaction(async (tx) => {
    const paid = await lockOrder(tx, orderId);
    if (!paid) throw fail("payOrderUnknown", { orderId });
    if (moveId && (await wasCarriedOut(tx, moveId, orderId))) return { order: paid, result: "repeated" };
    const result = await markRefunded(context, tx, paid, { reason, origin: "operator" }, requestId);
    if (moveId && result === "refunded") await noteCarriedOut(tx, moveId, orderId);
    return { order: paid, result };
  });
  if (result === "repeated") return order;
  if (result === "notPaid") throw fail("payOrderState", { orderId, state: order.state });
  if (result === "changed") throw fail("payOrderState", { orderId, state: order.state, parked: "refundChanged" });
  const refunded = { ...order, state: "refunded" as const };
  context.outbox.wake();
  context.logger.info({ orderId, userId: refunded.userId, amount: refunded.amount, requestId }, "order refunded");
  return refunded;
}

/**
 * Credits an order whose credit is held, or whose row is repaired, once, by an operator's decision. When this returns,
 * its message is on its way or waits for a topic. The order's marks about refunded money are removed. Fails:
 * payOrderUnknown; payOrderState, also where the order's row is not as payment wrote it: then it is, or stays, parked
 * as creditChanged.
 */
export async function releaseOrder(
  context: PaymentContext,
  { orderId, moveId }: Omit<Decision, "reason">,
  requestId: string | null,
): Promise<Order> {
  const { order, unsent } = await context.mysql.transaction(async (tx) => {
    const held = await lockOrder(tx, orderId);
    if (!held) throw fail("payOrderUnknown", { orderId });
    if (moveId && (await wasCarriedOut(tx, moveId, orderId))) return { order: held, unsent: "repeated" as const };
    if (held.state !== "paid" || !(await unparkOrder(tx, orderId, ["creditHeld", "creditChanged"])))
      throw fail("payOrderState", { orderId, state: held.state });
    const why = await sendCredit(context, tx, held, requestId);
    if (why) await parkOrder(tx, orderId, why, "");
    if (why !== "creditChanged") await unparkOrder(tx, orderId, moneyGone, held.transactionId ?? "");
    if (moveId && why !== "creditChanged") await noteCarriedOut(tx, moveId, orderId);
    return { order: held, unsent: why };
  });
  if (unsent === "repeated") return order;
  if (unsent === "creditChanged") throw fail("payOrderState", { orderId, state: order.state, parked: unsent });
  context.outbox.wake();
  const about = { orderId, userId: order.userId, coins: order.coins, requestId };
  if (unsent) context.logger.error(about, "an order is released and has no topic: give its biz code one (topic/set)");
  else context.logger.info(about, "an order whose credit was held is credited by an operator's decision");
  return order;
}
