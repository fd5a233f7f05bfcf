import { limits } from "../../../config/limits.ts";

const { watchDelaysMs, messageLookDelaysMs, messageAgainDelaysMs, messageLooksBeforeAgain } = limits.payment;

const step = (delays: readonly number[], at: number) => delays[Math.min(at, delays.length - 1)] as number;

/** When the provider of a new order is first asked: most orders are paid and reported earlier. */
export function firstLook(now: number): Date {
  return new Date(now + watchDelaysMs[0]);
}

/** When an order that is made now expires: a little later than at the provider, which is asked at that time. */
export function expiryOf(now: number): Date {
  return new Date(now + limits.payment.orderExpiresMs + limits.payment.expiryGraceMs);
}

/**
 * When the provider is asked again after `asked` queries: at growing intervals, and in any case when the order expires.
 * If the provider gives no final answer, it is asked without limit.
 */
export function nextLook(asked: number, now: number, expireTime: Date): Date {
  const next = now + step(watchDelaysMs, asked);
  const expires = expireTime.getTime();
  return new Date(now < expires ? Math.min(next, expires) : next);
}

/** When the provider is asked again after `attempts` requests for a refund, at the intervals of open orders. */
export function nextRefundAttempt(attempts: number, now: number): Date {
  return new Date(now + step(watchDelaysMs, attempts));
}

/** When the wallet is asked again, if the effect was missing at `asked` checks since the message left the outbox. */
export function nextMessageLook(asked: number, now: number): Date {
  return new Date(now + step(messageLookDelaysMs, asked));
}

/**
 * The earliest time at which a message that was published `again` times is published again: the interval grows without
 * limit of repeats.
 */
export function againAfter(again: number, now: number): Date {
  return new Date(now + step(messageAgainDelaysMs, again));
}

/**
 * Whether a message whose effect is missing at this check counts as lost. Checks without the wallet's answer do not
 * count, so a wallet that was away for long has time to handle the messages that wait for it.
 */
export function isOverdue({ asked, againTime }: { asked: number; againTime: Date }, now: number): boolean {
  return againTime.getTime() <= now && asked >= messageLooksBeforeAgain;
}
