import { hash } from "node:crypto";
import { parse } from "uuid";

/** Namespace of the order ids below, a constant of this system (RFC 9562, section 6.6). */
const orderNamespace = parse("5b1d7a3e-9c0f-4e6d-8a2b-4c6e8f013579");

/**
 * The order id of a user's request id: a name-based UUID (RFC 9562, version 5), so a repeat has the same business id
 * even where everything but the books was lost. The gateway knows the order id before the gift service answers, and can
 * return it where no answer comes.
 */
export function orderIdOf(userId: string, requestId: string): string {
  // Each gift needs it twice, and v5() of the package uuid takes three times as long.
  const name = Buffer.from(`${userId}:${requestId}`);
  const digest = hash("sha1", Buffer.concat([orderNamespace, name]), "hex");
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  const [low, middle, version, rest] = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(13, 16),
    digest.slice(18),
  ];
  return `${low}-${middle}-5${version}-${variant}${rest.slice(0, 2)}-${rest.slice(2, 14)}`;
}
