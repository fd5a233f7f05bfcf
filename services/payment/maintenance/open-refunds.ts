import { limits } from "../../../config/limits.ts";
import { parkOrder } from "../parked-store.ts";
import type { PaymentContext } from "../payment-context.ts";
import type { OpenProviders } from "../providers/provider.ts";
import { providerOfChannel } from "../providers.contract.ts";
import { type DueRefund, dueRefunds, moveRefund, postponeRefund } from "../refunds/refund-store.ts";
import { nextRefundAttempt } from "../watches/watch-times.ts";
import type { Job } from "./job.ts";

/** Asks providers to return the money of refunded orders, until it is done or an operator must do it. */
export function openRefundsJob(context: PaymentContext, providers: OpenProviders): Job<DueRefund> {
  return {
    name: "open-refunds",
    everyMs: limits.payment.maintenancePollMs,
    atOnce: limits.payment.maintenanceOrders,
    portion: limits.payment.maintenanceCallsInFlight,
    due: (limit) => dueRefunds(context.mysql, limit),
    async handle(refunds) {
      await Promise.all(refunds.map((due) => sendRefund(context, providers, due)));
      return true;
    },
  };
}

/**
 * Requests the refund of an order, or its state. The provider identifies the refund by the order's id, so a repeated
 * request is the same refund.
 */
async function sendRefund(context: PaymentContext, providers: OpenProviders, due: DueRefund): Promise<void> {
  const { orderId, attempts } = due;
  const channel = providerOfChannel(due.payChannel)?.name ?? String(due.payChannel);
  const provider = providers.get(channel)?.provider;
  const next = nextRefundAttempt(attempts, Date.now());
  try {
    if (!provider) throw new Error("its channel is not configured on this node");
    const state = await provider.refund(due);
    if (state === "failed") return await giveUp(context, due, "the provider could not refund the money");
    const moved = await moveRefund(context.mysql, orderId, state, state === "processing" ? next : null);
    if (moved) context.logger.info({ orderId, channel, state }, "the provider has a refund");
  } catch (error) {
    const problem = problemOf(error);
    if (attempts + 1 >= limits.payment.refundAttempts) return giveUp(context, due, problem);
    context.logger.warn(
      { err: error, orderId, channel, attempts, next },
      "a refund could not be requested at the provider: it is requested again",
    );
    await postponeRefund(context.mysql, orderId, next, problem);
  }
}

/** The reason of a failed call, for the table: the provider's answer, if there was one. */
function problemOf(error: unknown): string {
  const { data, message } = error as { data?: { why?: unknown }; message?: string };
  return typeof data?.why === "string" ? data.why : String(message);
}

async function giveUp(context: PaymentContext, { orderId, transactionId }: DueRefund, problem: string): Promise<void> {
  const failed = await context.mysql.transaction(async (tx) => {
    if (!(await moveRefund(tx, orderId, "failed"))) return false;
    await parkOrder(tx, orderId, "refundFailed", transactionId);
    return true;
  });
  if (!failed) return;
  context.logger.error(
    { orderId, problem },
    "coins were taken back and the money was not refunded: refund it at the provider by hand",
  );
}
