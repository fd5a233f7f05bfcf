import { z } from "zod";
import { action } from "../action-contract.ts";
import { cursor, integer, limit, orderId, reason } from "../fields.ts";
import { session } from "./session.contract.ts";

/**
 * What staff does about dead letters. The actions that do something check the caller's session and the
 * right `deadLetters` themselves, since a replay moves money and what is given up is never charged. Each is carried out
 * once: of several persons at once one does it, the others get deadLetterGone.
 */

/** `replay`: it is back in its stream. `giveUp`: nobody handles it any more. */
export const letterDecision = z.enum(["replay", "giveUp"]);
export type LetterDecision = z.infer<typeof letterDecision>;

/** A dead letter on which a person has decided. */
export interface HandledDeadLetter {
  /** Its number among the handled ones. */
  handledId: string;
  /** Its number and time as a dead letter. */
  id: number;
  time: string;
  channel: string;
  subject: string;
  /** Why it was a dead letter. */
  deadReason: string;
  /** The order that it names; `null` where it names none or several. */
  orderId: string | null;
  /** As of a DeadLetterView. */
  forged: boolean;
  unknownKey: boolean;
  /** Bytes. */
  size: number;
  decision: LetterDecision;
  /** `begun`: it may be carried out; the same decision again carries it out. */
  state: "begun" | "done";
  by: string;
  reason: string;
  beginTime: string;
  doneTime: string | null;
  /** Of one that was given up: its body as text, without signature and secrets. The table keeps every byte. */
  body: string | null;
}

const decided = { session, id: integer(1), reason };

export const staffDeadLetterActions = {
  /**
   * Puts a dead letter back into its stream, where it is handled again, once. A repeat after `unavailable` is safe.
   * `keyIsBack`: of one with an unknown key, once the nodes know the key again. Fails: notLoggedIn, roleMissing,
   * deadLetterGone, deadLetterRefused (it is forged, was cut, or its consumer does not read its origin: give it up; or
   * giving it up has begun: it is given up), unavailable (it may be back).
   */
  replayDeadLetter: action({ ...decided, keyIsBack: z.boolean().default(false) }).returns<HandledDeadLetter>(),
  /**
   * Gives a dead letter up for ever; its bytes, the person and the reason are kept. Fails: notLoggedIn, roleMissing,
   * deadLetterGone, deadLetterRefused (a replay has begun: it is replayed first; or it is too large to be kept),
   * unavailable (it may be given up).
   */
  giveUpDeadLetter: action(decided).returns<HandledDeadLetter>(),
  /** Those on which persons have decided, the latest first; with `orderId` those that name this order, also among others. Fails: unavailable. */
  handledDeadLetters: action({ orderId: orderId.optional(), cursor, limit }).returns<{
    list: HandledDeadLetter[];
    nextCursor: string | null;
  }>(),
};
