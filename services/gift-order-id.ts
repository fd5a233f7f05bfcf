import { hash as hashOf } from "node:crypto";

/** Namespace of the order ids below, a constant of this system (RFC 9562, section 6.6). */
const orderNamespace = Buffer.from("5b1d7a3e9c0f4e6d8a2b4c6e8f013579", "hex");

/**
 * The order id of a user's request id: a name-based UUID (RFC 9562, version 5), so that a repeat is the same business
 * id even where everything but the books was lost. The gateway knows the order id before the gift service answers, and
 * can name it where no answer comes.
 */
export function orderIdOf(userId: string, requestId: string): string {
  const hash = hashOf("sha1", Buffer.concat([orderNamespace, Buffer.from(`${userId}:${requestId}`)]), "buffer");
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
