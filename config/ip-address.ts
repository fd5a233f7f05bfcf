import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** A parsed address. An IPv4 address inside an IPv6 one is the IPv4 address. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Prefixes of 96 bits under which the last 32 bits of an IPv6 address are an IPv4 address: mapped by a dual-stack
 * socket (RFC 4291), translated (RFC 2765) and NAT64 (RFC 6052). Counted by its /64, all of IPv4 would be one client.
 */
const carriersOfIpv4 = ["::ffff:0:0", "::ffff:0:0:0", "64:ff9b::"].map((prefix) => ipaddr.IPv6.parse(prefix));

/**
 * Parses an address in any spelling. A zone (`fe80::1%eth0`) is dropped, since it means nothing on another machine.
 * Strict: whatever Node does not accept as an address (leading zeros, hexadecimal IPv4, blanks around it) is
 * `undefined`. Equal addresses have equal texts.
 */
export function readAddress(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return ipaddr.IPv4.parse(text);
  const address = ipaddr.IPv6.parse(text.split("%", 1)[0] as string);
  if (!carriersOfIpv4.some((prefix) => address.match(prefix, 96))) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** Whether the address is in the network of `bits` bits; an IPv4 address is in no IPv6 network. */
export function isInNetwork(address: IpAddress, network: IpAddress, bits: number): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

/** The network of an address as text, e.g. `2001:db8:1:2::/64`. `bits` is a multiple of 16. */
export function ipv6Network(address: ipaddr.IPv6, bits: number): string {
  const parts = address.parts.map((part, at) => (at < bits / 16 ? part : 0));
  return `${new ipaddr.IPv6(parts)}/${bits}`;
}
