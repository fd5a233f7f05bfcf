import { limits } from "../../../config/limits.ts";

const { watchDelaysMs, messageLookDelaysMs, messageAgainDelaysMs, messageLooksBeforeAgain } = limits.payment;

const step = (delays: readonly number[], at: number) => delays[Math.min(at, delays.length - 1)] as number;

/** When the provider of a new order is asked for the first time: most are paid and reported earlier. */
export function firstLook(now: number): Date {
  return new Date(now + watchDelaysMs[0]);
}

/** When an order expires that is made now: a little later than at the provider, which is asked at that time. */
export function expiryOf(now: number): Date {
  return new Date(now + limits.payment.orderExpiresMs + limits.payment.expiryGraceMs);
}

/**
 * When to ask again, after `asked` questions: later each time, at the time the order expires in any case, and from
 * then on, where the provider gave no final answer, for ever.
 */
export function nextLook(asked: number, now: number, expireTime: Date): Date {
  const next = now + step(watchDelaysMs, asked);
  const expires = expireTime.getTime();
  return new Date(now < expires ? Math.min(next, expires) : next);
}

/** When the provider is asked again for a refund that it was asked for `attempts` times before: as for open orders. */
export function nextRefundAttempt(attempts: number, now: number): Date {
  return new Date(now + step(watchDelaysMs, attempts));
}

/** When the wallet is asked about a message whose effect it did not show at `asked` looks since it left the outbox. */
export function nextMessageLook(asked: number, now: number): Date {
  return new Date(now + step(messageLookDelaysMs, asked));
}

/** Until when at least a message is waited for that has been published `again` times more: longer each time, for ever. */
export function againAfter(again: number, now: number): Date {
  return new Date(now + step(messageAgainDelaysMs, again));
}

/**
 * Whether a message counts as lost that is not in the wallet's books at this look. Looks that the wallet did not answer
 * are not counted: one that was away for long first gets the time to handle what waits for it.
 */
export function isOverdue({ asked, againTime }: { asked: number; againTime: Date }, now: number): boolean {
  return againTime.getTime() <= now && asked >= messageLooksBeforeAgain;
}
