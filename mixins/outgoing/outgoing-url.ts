import { limits } from "../../config/limits.ts";
import { addressOfHost, isPublicAddress } from "./public-address.ts";

/** Which receivers may be called: those on the public Internet, by https alone, or all. */
export type Receivers = "public" | "any";

/**
 * Names that mean this machine or the local network: by RFC 6761, RFC 6762 and ICANN's `internal`, and by custom. A name
 * without a dot is one of the network too (of a container, or with a search domain). What a call to such a name answers
 * would say which ones there are.
 */
const localName = /(^|\.)(localhost|local|internal|home\.arpa|svc|lan|corp|home)$|^[^.]*$/;

/** Of a URL that names an address or a host which only `any` receivers may have. */
export const leadsInside = "leads to a private address";

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
  if (url.protocol !== "https:") return "must start with https://";
  // The parser has turned 0x7f.1, 0177.0.0.1 and 2130706433 into 127.0.0.1.
  const address = addressOfHost(url.hostname);
  const isPrivate = address === undefined ? localName.test(nameOf(url)) : !isPublicAddress(address);
  return isPrivate ? leadsInside : undefined;
}

/** A host's name without the dot that ends it. */
const nameOf = ({ hostname }: URL) => hostname.replace(/\.$/, "");
