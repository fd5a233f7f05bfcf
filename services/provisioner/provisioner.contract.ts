import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, integer, isoTime, limit } from "../fields.ts";

/** A message that a channel could not handle, as staff see it. */
export interface DeadLetterView {
  /** Its sequence in the stream of dead letters. Together with `time` it names one dead letter for ever. */
  id: number;
  /** When it became a dead letter. */
  time: string;
  /** The consumer that could not handle it. */
  channel: string;
  /** Where it came from, as on the server: it may be put back there. */
  subject: string;
  reason: string;
  /** The order that its body names; `null` where it names none or several. */
  orderId: string | null;
  /** It was refused for its signature, and can only be given up; with `unknownKey` it may be genuine. */
  forged: boolean;
  unknownKey: boolean;
  /** Bytes. */
  size: number;
}

/** A dead letter with its body as text, without signature and secrets. */
export interface ShownDeadLetter extends DeadLetterView {
  /** All orders that its body names, at most `limits.jetstream.deadLetterOrders`. */
  orderIds: string[];
  body: string;
  /** The body goes on. */
  bodyCut: boolean;
}

/** A dead letter with every byte, to be kept when it is given up. */
export interface WholeDeadLetter extends DeadLetterView {
  orderIds: string[];
  dataBase64: string;
}

/**
 * The provisioner as other services see it: it alone may make and change streams and consumers at NATS, and read, put
 * back and remove dead letters. Each action may be repeated. Those of streams and consumers fail: callerRefused, where the stream or consumer is not the calling service's
 * (services/stream-access.ts); unavailable, where NATS does not answer.
 */

const serverName = z
  .string()
  .regex(/^[A-Za-z0-9_~-]+$/)
  .max(limits.jetstream.nameChars);
const seen = z.object({
  created: z.string().min(1).max(limits.jetstream.nameChars),
  mark: z.string().min(1).max(limits.jetstream.nameChars).optional(),
});
const letterId = integer(1);
const start = z.union([z.literal("first"), z.object({ after: integer(0) }), z.object({ since: z.iso.datetime() })]);

export const provisionerActions = {
  /** Makes a missing stream, named without the namespace's prefix. `again`: the caller knows that it was there. */
  makeStream: action({ stream: serverName, again: z.boolean() }).returns<void>(),
  /**
   * Makes a missing consumer of the caller, under a name that its durable may have, on the stream that the caller has
   * seen. Fails too where the stream is another one by now: the caller looks again.
   */
  makeConsumer: action({ stream: serverName, durable: serverName, name: serverName, seen, start }).returns<void>(),
  /** Marks a queue of the caller that has lost messages, unless it has another mark by now. */
  markLoss: action({ stream: serverName, seen }).returns<void>(),
  /** Dead letters, oldest first; `cursor` is the id of the last one of the page before. Fails: unavailable. */
  deadLetters: action({ cursor, limit }).returns<{ list: DeadLetterView[]; nextCursor: string | null }>(),
  /** Fails: deadLetterGone, unavailable. */
  deadLetter: action({ id: letterId }).returns<ShownDeadLetter>(),
  /** How many there are. Fails: unavailable. */
  countDeadLetters: action({}).returns<{ count: number }>(),
  /**
   * For the record of one that is given up. Fails: deadLetterGone; deadLetterRefused with `why`, where it has more than
   * `limits.jetstream.deadLetterKeptBytes`; unavailable.
   */
  wholeDeadLetter: action({ id: letterId }).returns<WholeDeadLetter>(),
  /**
   * Puts a dead letter back into its stream, with its very bytes, and removes it. A repeat puts it back once more, which
   * its readers recognize by its business id; within two minutes the server drops it. `keyIsBack`: its unknown key is
   * known again. Fails: deadLetterGone, also where `time` is another one; deadLetterRefused with `why`: nothing
   * happened; unavailable: it may be back.
   */
  replayDeadLetter: action({ id: letterId, time: isoTime, keyIsBack: z.boolean() }).returns<void>(),
  /** Removes a dead letter for ever. Fails: deadLetterGone, unavailable: it may be gone. */
  removeDeadLetter: action({ id: letterId, time: isoTime }).returns<void>(),
};
