import { promises as dns } from "node:dns";
import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";

/** The addresses of a name. Rejects where it has none, or where that cannot be found out. */
export type ResolveName = (name: string) => Promise<string[]>;

const { dnsTimeoutMs: timeout, dnsTries: tries, ipv6DelayMs, addressesPerName } = limits.outgoing;

/**
 * Asks the DNS servers themselves. `dns.lookup` would use a thread of the process for as long as a slow DNS server takes;
 * there are four of them, and files and keys need them too. What DNS does not know is asked of the machine, which has
 * names of its own (`/etc/hosts`, search domains).
 */
export const resolveName: ResolveName = async (name) => {
  const resolver = new dns.Resolver({ timeout, tries });
  try {
    const found = await ask(resolver, name);
    if (found.length > 0) return found;
    return (await dns.lookup(name, { all: true })).slice(0, addressesPerName).map(({ address }) => address);
  } finally {
    resolver.cancel();
  }
};

/** IPv4 addresses do not wait for IPv6 ones for long. Empty where no server has any. Rejects after a time-out. */
async function ask(resolver: dns.Resolver, name: string): Promise<string[]> {
  const ipv6 = resolver.resolve6(name).catch(emptyOrThrow);
  ipv6.catch(() => undefined);
  const ipv4 = await resolver.resolve4(name).catch(emptyOrThrow);
  const others = ipv4.length === 0 ? ipv6 : Promise.race([ipv6, pause(ipv6DelayMs, [])]).catch(() => []);
  return [...ipv4, ...(await others)].slice(0, addressesPerName);
}

function emptyOrThrow(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ETIMEOUT") throw error;
  return [];
}
