import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { integer } from "../fields.ts";

/**
 * The provisioner as other services see it: it alone may make and change streams and consumers at NATS. Each action may
 * be repeated. All fail: callerRefused, where the stream or consumer is not the calling service's
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
};
