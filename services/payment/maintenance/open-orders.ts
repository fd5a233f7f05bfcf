import { limits } from "../../../config/limits.ts";
import { isOpen } from "../order-state.ts";
import type { PaymentContext } from "../payment-context.ts";
import { insertWebhook, moveOrder, orderById } from "../payment-store.ts";
import type { OpenProvider, OpenProviders, ProviderOrder } from "../providers/provider.ts";
import type { ProviderReport } from "../providers/report.ts";
import { providerOfChannel } from "../providers.contract.ts";
import { dueWatches, postponeWatch, removeWatches, type Watch } from "../watches/order-watch-store.ts";
import { nextLook } from "../watches/watch-times.ts";
import type { WebhookRecord } from "../webhook-record.ts";
import { takeAnswer } from "../webhooks.ts";
import type { Job } from "./job.ts";

/**
 * Asks providers about open orders: a webhook may never arrive, and an unpaid order must be closed. An order that is
 * not open is no longer watched, and not asked about.
 */
export function openOrdersJob(context: PaymentContext, providers: OpenProviders): Job<Watch> {
  return {
    name: "open-orders",
    everyMs: limits.payment.maintenancePollMs,
    atOnce: limits.payment.maintenanceOrders,
    portion: limits.payment.maintenanceCallsInFlight,
    due: (limit) => dueWatches(context.mysql, limit),
    async handle(watches) {
      const over = watches.filter(({ state }) => !isOpen(state)).map(({ orderId }) => orderId);
      await removeWatches(context.mysql, over);
      const open = watches.filter(({ state }) => isOpen(state));
      await Promise.all(open.map((watch) => checkOrder(context, providers, watch)));
      return true;
    },
  };
}

/**
 * Asks the provider about an order and applies its answer. A payment without a webhook is handled as if the webhook had
 * arrived. An unpaid order whose time is over is closed first at the provider and then here.
 */
async function checkOrder(context: PaymentContext, providers: OpenProviders, watch: Watch): Promise<void> {
  const { orderId } = watch;
  const channel = providerOfChannel(watch.payChannel)?.name ?? String(watch.payChannel);
  const open = providers.get(channel);
  try {
    if (!open) throw new Error("its channel is not configured on this node");
    if (await settled(context, open, watch)) return await removeWatches(context.mysql, [orderId]);
    await postponeWatch(context.mysql, orderId, nextLook(watch.asked + 1, Date.now(), watch.expireTime));
  } catch (error) {
    const next = nextLook(watch.asked + 1, Date.now(), watch.expireTime);
    context.logger.warn(
      { err: error, orderId, channel, next },
      "an open order could not be asked about: asked again later",
    );
    await postponeWatch(context.mysql, orderId, next);
  }
}

/** Returns whether the order needs no further query. */
async function settled(context: PaymentContext, open: OpenProvider, watch: Watch): Promise<boolean> {
  const { provider, declared } = open;
  const expired = watch.expireTime.getTime() <= Date.now();
  let found = await provider.queryOrder(watch.orderId);
  if (expired && (found.status === "open" || found.status === "unknown")) {
    await provider.closeOrder(watch.orderId);
    // It may have been paid between the query and the closing.
    found = await provider.queryOrder(watch.orderId);
  }
  if (found.status === "paid" || found.status === "refunded" || (found.status === "closed" && !expired)) {
    await takeAnswer(context, open, reportOf(watch, found));
    // An answer that does not match the order is logged as an error again, until a person has resolved it.
    const order = await orderById(context.mysql, watch.orderId);
    return !order || !isOpen(order.state);
  }
  if (!expired || found.status === "open") return false;
  await expire(context, declared.name, watch.orderId);
  return true;
}

const askedId = (orderId: string) => `asked-${orderId}`;

function reportOf({ orderId, amount }: Watch, found: ProviderOrder): ProviderReport {
  const common = { webhookId: askedId(orderId), orderId };
  if (found.status === "paid" || found.status === "refunded") return { ...common, ...found };
  return { ...common, status: "cancelled", transactionId: "", amount, time: new Date() };
}

/**
 * The provider accepts no payment of it any more, and it becomes invalid here. It does not move where a webhook was
 * faster.
 */
async function expire(context: PaymentContext, channel: string, orderId: string): Promise<void> {
  const expired = await context.seals.transaction(context.mysql, async (tx, sealing) => {
    if (!(await moveOrder(tx, orderId, "invalid"))) return false;
    const record: WebhookRecord = {
      channel,
      outcome: "applied",
      reason: "expired, closed at the provider",
      webhookId: askedId(orderId),
      orderId,
      transactionId: null,
      amount: null,
      body: "",
      ip: "asked",
      requestId: null,
    };
    await insertWebhook(tx, record, sealing);
    return true;
  });
  if (expired) context.logger.info({ orderId, channel }, "an unpaid order expired and was closed at the provider");
}
