import { limits } from "../../../config/limits.ts";

/** When the provider of a new order is asked for the first time: most are paid, and told of, before. */
export function firstLook(now: number): Date {
  return new Date(now + limits.payment.watchDelaysMs[0]);
}

/** When an order expires that is made now: a little later than at the provider, whose word is asked for then. */
export function expiryOf(now: number): Date {
  return new Date(now + limits.payment.orderExpiresMs + limits.payment.expiryGraceMs);
}

/**
 * When to ask again, after `asked` questions: later each time, at the moment the order expires in any case, and from
 * then on, where the provider did not give a final word, for ever.
 */
export function nextLook(asked: number, now: number, expireTime: Date): Date {
  const delays = limits.payment.watchDelaysMs;
  const next = now + (delays[Math.min(asked, delays.length - 1)] as number);
  const expires = expireTime.getTime();
  return new Date(now < expires ? Math.min(next, expires) : next);
}
