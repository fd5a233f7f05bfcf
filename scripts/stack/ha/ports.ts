import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "../files.ts";
import { claimFreePort, isPortFree } from "../ports.ts";

/** The servers of each kind, by number. */
export const members = [1, 2, 3] as const;
export type MemberNumber = (typeof members)[number];

/** What each server listens on. The members of a cluster know each other by these ports, so all are chosen at once. */
const wanted = [
  ...members.flatMap((n) => [`nats-${n}`, `nats-${n}-route`, `nats-${n}-monitor`] as const),
  ...members.flatMap((n) => [`mysql-${n}`, `mysql-${n}-group`, `mysql-${n}-ist`, `mysql-${n}-sst`] as const),
  ...members.flatMap((n) => [`redis-${n}`, `sentinel-${n}`] as const),
  "proxy",
] as const;

export type HaPorts = Readonly<Record<(typeof wanted)[number], number>>;

const portsFile = (stackDir: string) => join(stackDir, "ha", "ports.json");

/** The ports with which the servers of this folder were last started; `undefined` where they never were. */
export function keptPorts(stackDir: string): HaPorts | undefined {
  const text = readIfThere(portsFile(stackDir));
  return text === undefined ? undefined : (JSON.parse(text) as HaPorts);
}

/** Free ports for servers none of which runs: those of their last start where all are free, others otherwise. */
export async function claimPorts(stackDir: string, preferred: number): Promise<HaPorts> {
  const kept = keptPorts(stackDir);
  const areFree = async (ports: HaPorts) => (await Promise.all(Object.values(ports).map(isPortFree))).every(Boolean);
  if (kept !== undefined && (await areFree(kept))) return kept;
  const taken = new Set<number>();
  const claimed: [string, number][] = [];
  for (const name of wanted) claimed.push([name, await claimFreePort(preferred, taken)]);
  const ports = Object.fromEntries(claimed) as HaPorts;
  mkdirSync(join(stackDir, "ha"), { recursive: true, mode: 0o700 });
  replaceFile(portsFile(stackDir), `${JSON.stringify(ports, null, 1)}\n`);
  return ports;
}
