import { parse, v5 } from "uuid";

/** Namespace of the order ids below, a constant of this system (RFC 9562, section 6.6). */
const orderNamespace = parse("5b1d7a3e-9c0f-4e6d-8a2b-4c6e8f013579");

/**
 * The order id of a user's request id: a name-based UUID (RFC 9562, version 5), so a repeat has the same business id
 * even where everything but the books was lost. The gateway knows the order id before the gift service answers, and can
 * return it where no answer comes.
 */
export function orderIdOf(userId: string, requestId: string): string {
  return v5(`${userId}:${requestId}`, orderNamespace);
}
