import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { readAddress } from "../../config/ip-address.ts";

/** Addresses that are routed publicly and yet belong to the machine's own cloud: Azure's metadata and DNS. */
const cloudAddresses = new Set(["168.63.129.16"]);
/** IPv6 has been given out from this network alone (IANA). */
const globalUnicast = ipaddr.IPv6.parse("2000::");

/**
 * Whether an address is one of the public Internet. False for private, loopback, link-local (with it the metadata
 * services of clouds), carrier-grade NAT, multicast, unspecified, reserved and documentation addresses, for IPv4
 * addresses of these kinds inside IPv6 ones (mapped, translated, NAT64), for all of 6to4 and Teredo, and for whatever
 * is no address.
 */
export function isPublicAddress(text: string): boolean {
  const address = readAddress(text);
  if (!address) return false;
  if (address.range() !== "unicast" || cloudAddresses.has(address.toString())) return false;
  return address.kind() === "ipv4" || (address as ipaddr.IPv6).match(globalUnicast, 3);
}

/** The address that a URL's host is; `undefined` where the host is a name. */
export function addressOfHost(hostname: string): string | undefined {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}
