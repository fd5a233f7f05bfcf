import { limits } from "../../../config/limits.ts";
import type { PaymentDesk } from "../desk.ts";
import { parkOrder } from "../parked-store.ts";
import { type Providers, payChannelOf } from "../providers/provider.ts";
import { type DueRefund, moveRefund, postponeRefund } from "./refund-store.ts";

/** Asks again later each time, in the steps of open orders. */
function nextAttempt(attempts: number): Date {
  const delays = limits.payment.watchDelaysMs;
  return new Date(Date.now() + (delays[Math.min(attempts, delays.length - 1)] as number));
}

/**
 * Asks the provider to give a refunded order's money back, or how far it is. The provider knows the refund by the order's
 * id, so that asking again is the same refund.
 */
export async function sendRefund(desk: PaymentDesk, providers: Providers, due: DueRefund): Promise<void> {
  const { orderId, attempts } = due;
  const channel = payChannelOf(due.payChannel);
  const provider = channel && providers.get(channel);
  const next = nextAttempt(attempts);
  try {
    if (!provider) throw new Error("its channel is not configured any more");
    const says = await provider.refund(due);
    if (says === "failed") return await giveUp(desk, due, "the provider could not give the money back");
    const moved = await moveRefund(desk.mysql, orderId, says, says === "processing" ? next : null);
    if (moved) desk.logger.info({ orderId, channel, says }, "the provider has a refund");
  } catch (error) {
    const problem = problemOf(error);
    if (attempts + 1 >= limits.payment.refundAttempts) return giveUp(desk, due, problem);
    desk.logger.warn(
      { err: error, orderId, channel, attempts, next },
      "a refund did not reach the provider: sent again",
    );
    await postponeRefund(desk.mysql, orderId, next, problem);
  }
}

/** Why a call failed, for the table: what the provider said where it said something. */
function problemOf(error: unknown): string {
  const { data, message } = error as { data?: { why?: unknown }; message?: string };
  return typeof data?.why === "string" ? data.why : String(message);
}

async function giveUp(desk: PaymentDesk, { orderId, transactionId }: DueRefund, problem: string): Promise<void> {
  const failed = await desk.mysql.transaction(async (tx) => {
    if (!(await moveRefund(tx, orderId, "failed"))) return false;
    await parkOrder(tx, orderId, "refundFailed", transactionId);
    return true;
  });
  if (!failed) return;
  desk.logger.error(
    { orderId, problem },
    "coins were taken back and the money did not go back: refund it at the provider by hand",
  );
}
