import { promises as dns } from "node:dns";
import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import { OutgoingError } from "./outgoing-error.ts";
import type { Receivers } from "./outgoing-url.ts";

/** The addresses of a name. Rejects where it has none, or where that cannot be found out. */
export type ResolveName = (name: string) => Promise<string[]>;

/** Where addresses come from. */
export interface NameSources {
  /** A client of the DNS servers, for one name. */
  servers(): {
    resolve4(name: string): Promise<string[]>;
    resolve6(name: string): Promise<string[]>;
    cancel(): void;
  };
  /** The machine's own way (`/etc/hosts`, search domains), in one of the four threads of the process. */
  machine(name: string): Promise<string[]>;
}

const { dnsTimeoutMs: timeout, dnsTries: tries, ipv6DelayMs, addressesPerName, machineLookups } = limits.outgoing;

const realSources: NameSources = {
  servers: () => new dns.Resolver({ timeout, tries }),
  machine: async (name) => (await dns.lookup(name, { all: true })).map(({ address }) => address),
};

/** This machine, by RFC 6761; no server is asked. */
const thisMachine = /(^|\.)localhost\.?$/i;

/** A server says that there is no such name, or no such address of it; or there is no server. */
const unknownName: ReadonlySet<string | undefined> = new Set(["ENOTFOUND", "ENODATA", "ECONNREFUSED"]);

let askingMachine = 0;

/**
 * Asks the DNS servers themselves. `dns.lookup` would use a thread of the process for as long as a slow DNS server takes;
 * there are four of them, and files and keys need them too. For receivers `any`, what DNS says it does not know is asked
 * of the machine, which has names of its own, `limits.outgoing.machineLookups` at once; more are refused as `busy`.
 */
export function nameResolver(receivers: Receivers, sources: NameSources = realSources): ResolveName {
  return async (name) => {
    if (thisMachine.test(name)) return ["127.0.0.1", "::1"];
    const servers = sources.servers();
    try {
      const found = await ask(servers, name);
      if (found.length > 0) return found;
    } finally {
      servers.cancel();
    }
    if (receivers === "public") throw Object.assign(new Error("DNS does not know it"), { code: "ENOTFOUND" });
    return askMachine(sources, name);
  };
}

async function askMachine({ machine }: NameSources, name: string): Promise<string[]> {
  if (askingMachine >= machineLookups)
    throw new OutgoingError("busy", "too many names are asked of the machine at once");
  askingMachine++;
  try {
    return (await machine(name)).slice(0, addressesPerName);
  } finally {
    askingMachine--;
  }
}

/** IPv4 addresses do not wait for IPv6 ones for long. Empty where the name has none. Rejects where no server says so. */
async function ask(servers: ReturnType<NameSources["servers"]>, name: string): Promise<string[]> {
  const ipv6 = servers.resolve6(name).catch(emptyOrThrow);
  ipv6.catch(() => undefined);
  const ipv4 = await servers.resolve4(name).catch(emptyOrThrow);
  const others = ipv4.length === 0 ? ipv6 : Promise.race([ipv6, pause(ipv6DelayMs, [])]).catch(() => []);
  return [...ipv4, ...(await others)].slice(0, addressesPerName);
}

function emptyOrThrow(error: NodeJS.ErrnoException): string[] {
  if (!unknownName.has(error.code)) throw error;
  return [];
}
