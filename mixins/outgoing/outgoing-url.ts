import { limits } from "../../config/limits.ts";
import { addressOfHost, isPublicAddress } from "./public-address.ts";

/** Which receivers may be called: those on the public Internet, or all. */
export type Receivers = "public" | "any";

/** Names that mean this machine or the local network by their own rules (RFC 6761, RFC 6762, ICANN's `internal`). */
const localName = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/**
 * Why a URL cannot be called, as the end of a sentence; `undefined` where it may be. Judges the text alone. A name may
 * still lead to a private address, so every connection checks the address again.
 */
export function problemOfUrl(text: string, receivers: Receivers): string | undefined {
  const url = URL.parse(text);
  if (!url || text.length > limits.outgoing.urlChars) return "is no URL";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must start with https://";
  if (url.username || url.password) return "must not contain a user name or password";
  if (url.port === "0") return "has no usable port";
  if (receivers === "any") return undefined;
  // The parser has turned 0x7f.1, 0177.0.0.1 and 2130706433 into 127.0.0.1.
  const address = addressOfHost(url.hostname);
  const isPrivate = address === undefined ? localName.test(nameOf(url)) : !isPublicAddress(address);
  return isPrivate ? "leads to a private address" : undefined;
}

/** A host's name without the dot that ends it. */
const nameOf = ({ hostname }: URL) => hostname.replace(/\.$/, "");

/**
 * Why a URL cannot be registered for a webhook; `undefined` where it can. As `problemOfUrl`, and where private addresses
 * are not allowed it must be https.
 */
export function problemOfWebhookUrl(text: string, receivers: Receivers): string | undefined {
  const problem = problemOfUrl(text, receivers);
  if (problem) return problem;
  return receivers === "public" && new URL(text).protocol !== "https:" ? "must start with https://" : undefined;
}
