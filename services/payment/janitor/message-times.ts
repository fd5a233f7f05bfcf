import { limits } from "../../../config/limits.ts";

const { messageLookDelaysMs, messageAgainDelaysMs, messageLooksBeforeAgain } = limits.payment;

const step = (delays: readonly number[], at: number) => delays[Math.min(at, delays.length - 1)] as number;

/** When the wallet is asked about a message that it has not carried out at `asked` looks since it left the outbox. */
export function nextMessageLook(asked: number, now: number): Date {
  return new Date(now + step(messageLookDelaysMs, asked));
}

/** Until when a message is at least waited for that has been published `again` times more: longer each time, for ever. */
export function againAfter(again: number, now: number): Date {
  return new Date(now + step(messageAgainDelaysMs, again));
}

/**
 * Whether a message counts as lost that is not in the wallet's books at this look. Looks that the wallet did not answer
 * are not counted: one that was away for long first gets the time to carry out what waits for it.
 */
export function isOverdue({ asked, againTime }: { asked: number; againTime: Date }, now: number): boolean {
  return againTime.getTime() <= now && asked >= messageLooksBeforeAgain;
}
