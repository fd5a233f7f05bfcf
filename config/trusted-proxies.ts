import { type IpAddress, isInNetwork, readAddress } from "./ip-address.ts";
import { limits } from "./limits.ts";

/** The proxies whose X-Forwarded-* headers are trusted, from the setting TRUST_PROXY. */
export interface TrustedProxies {
  /**
   * Whether the sender of a request is a trusted proxy. `hop` 0 is the peer of the connection, 1 the address that it
   * forwards, and so on. `address` is `undefined` where the socket's address is unknown.
   */
  trusts(address: IpAddress | undefined, hop: number): boolean;
}

export const noProxies: TrustedProxies = Object.freeze({ trusts: () => false });

interface Network {
  address: IpAddress;
  bits: number;
}

const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  uniquelocal: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

function trustedHops(hops: number): TrustedProxies {
  return Object.freeze({ trusts: (_address: IpAddress | undefined, hop: number) => hop < hops });
}

function trustedNetworks(networks: readonly Network[]): TrustedProxies {
  const trusts = (from: IpAddress | undefined) =>
    from !== undefined && networks.some(({ address, bits }) => isInNetwork(from, address, bits));
  return Object.freeze({ trusts });
}

/** @throws Error with the problem, worded to follow "entry N". */
function readNetwork(text: string): Network {
  const [, spelling = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = readAddress(spelling);
  if (!address) throw new Error("is no address, network or one of loopback, linklocal, uniquelocal");
  const whole = address.kind() === "ipv4" ? 32 : 128;
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
  const bits = length === undefined ? whole : Number(length) - (spelling.includes(":") ? 128 - whole : 0);
  if (bits > whole || bits < 0) throw new Error("has an invalid prefix length");
  if (bits === 0) throw new Error("would trust every sender");
  const set = address.toByteArray().map((byte) => byte.toString(2).padStart(8, "0"));
  if (set.join("").slice(bits).includes("1")) throw new Error("has bits set after its prefix length");
  return { address, bits };
}

/**
 * Parses the setting: `false` or 0 for none, a number of proxies in front, `true` for 1, or a list of addresses,
 * networks (CIDR) and their names, separated by commas. @throws Error with the number of the invalid entry, without its
 * text.
 */
export function readTrustedProxies(text: string): TrustedProxies {
  const value = text.trim();
  if (value === "false") return noProxies;
  if (value === "true") return trustedHops(1);
  const { proxiesMax } = limits.http;
  if (/^\d+$/.test(value)) {
    if (Number(value) > proxiesMax) throw new Error(`names more than ${proxiesMax} proxies`);
    return trustedHops(Number(value));
  }
  const networks = value.split(",").flatMap((part, at) => {
    const entry = part.trim();
    const named = Object.hasOwn(namedNetworks, entry) ? (namedNetworks[entry] ?? []) : [entry];
    try {
      return named.map(readNetwork);
    } catch (error) {
      throw new Error(`entry ${at + 1} ${(error as Error).message}`, { cause: error });
    }
  });
  return trustedNetworks(networks);
}
