import { type IpAddress, ipv6Network, readAddress } from "../config/ip-address.ts";
import type { TrustedProxies } from "../config/trusted-proxies.ts";

/*
 * Addresses are read by ipaddr.js. The walk is ours: proxy-addr, which express uses for it, reads no ports, as Azure and
 * IIS write them, and leaves mapped addresses as they are spelt.
 */

/** Who sent a request: what every limit by address, every audit row and every log line about an address goes by. */
export interface ClientAddress {
  /** The whole address in its one spelling, at most 45 characters; "unknown" where nothing says it. */
  readonly address: string;
  /** What limits count by: one key for all addresses that one client can choose among. */
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
 * IPv4 counts as a whole. An IPv6 client is given at least a /64 and can change address in it with every request. Who has
 * an IPv4 address has all of its 6to4 network (2002::/16, RFC 3056), a /48.
 */
function limitKey(address: IpAddress): string {
  if (address.kind() === "ipv4") return address.toString();
  const ipv6 = address as Extract<IpAddress, { kind(): "ipv6" }>;
  return ipv6Network(ipv6, ipv6.parts[0] === 0x2002 ? 48 : 64);
}

/**
 * The client's address: from the socket's through X-Forwarded-For from its right end, for as long as each sender is a
 * trusted proxy. Entries left of the first sender that is not trusted are the client's own claim and are ignored. Where
 * a trusted proxy names no address, its own is used: the nearest address that is known. Never throws.
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
