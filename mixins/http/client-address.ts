import { type IpAddress, ipv6Network, readAddress } from "../../config/ip-address.ts";
import type { TrustedProxies } from "../../config/trusted-proxies.ts";

/**
 * ipaddr.js parses the addresses. The walk along the proxies is ours: proxy-addr, which express uses, does not parse
 * ports, which Azure and IIS write, and leaves mapped addresses as they are.
 */

/** The sender of a request, for limits by address, audit rows and log lines. */
export interface ClientAddress {
  /** The whole address in its canonical form, at most 45 characters; "unknown" where it is not known. */
  readonly address: string;
  /** The key for limits: the same for all addresses that one client can choose. */
  readonly key: string;
}

const unknown: ClientAddress = Object.freeze({ address: "unknown", key: "unknown" });

/** `a.b.c.d:port`, `[v6]` and `[v6]:port`. */
const decorated = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/;

/** One entry of X-Forwarded-For; `undefined` for `unknown`, `_hidden`, `unix:` and anything else that is no address. */
function readEntry(text: string): IpAddress | undefined {
  const entry = text.trim();
  const [, ipv6, ipv4] = decorated.exec(entry) ?? [];
  return readAddress(ipv6 ?? ipv4 ?? entry);
}

/**
 * An IPv4 address counts as itself. An IPv6 client has at least a /64 and can use another of its addresses for every
 * request. Whoever has an IPv4 address has its whole 6to4 network (2002::/16, RFC 3056), a /48.
 */
function limitKey(address: IpAddress): string {
  if (address.kind() === "ipv4") return address.toString();
  const ipv6 = address as Extract<IpAddress, { kind(): "ipv6" }>;
  return ipv6Network(ipv6, ipv6.parts[0] === 0x2002 ? 48 : 64);
}

/** The key for limits of an address that the door has determined. A text that is no address is a key of its own. */
export function limitKeyOf(text: string): string {
  const address = readAddress(text);
  return address ? limitKey(address) : text;
}

/**
 * The client's address: starting with the socket's, X-Forwarded-For is followed from its right end while each sender is
 * a trusted proxy. Entries left of the first untrusted sender are the client's own claims and are ignored. Where a
 * trusted proxy gives no address, its own is used: the nearest known address. Never throws.
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  proxies: TrustedProxies,
): ClientAddress {
  let known = readAddress(socketAddress ?? "");
  // Several header lines are one list, in their order.
  const entries = [forwardedFor ?? []].flat().join(",").split(",");
  for (let hop = 0; hop < entries.length && proxies.trusts(known, hop); hop++) {
    const named = readEntry(entries[entries.length - 1 - hop] as string);
    if (!named) break;
    known = named;
  }
  return known ? { address: known.toString(), key: limitKey(known) } : unknown;
}
