import type { BucketRow } from "./bucket-map.ts";
import type { Gate } from "./compare-gates.ts";

/** What a repair of a bucket's gates does on each server. Pure. */

/** A gate as a server has it; `null`: it has none. */
export type FoundGate = Pick<Gate, "isOpen" | "revision"> | null;

export interface Repair {
  readonly steps: ReadonlyMap<string, "none" | "close" | "open">;
  /** Of the map and of its server's gate afterwards. */
  readonly revision: number;
}

/**
 * `gates`: of the servers that could be read. `newest`: the highest revision of the bucket's moves. Where the map's server is
 * not right it gets a revision that no map, gate or move has had, also where another server has one that the map did not
 * reach: a later move would find its target's gate too new to open it.
 */
export function planRepair(map: BucketRow, gates: ReadonlyMap<string, FoundGate>, newest: number): Repair {
  const own = gates.get(map.server);
  const highest = Math.max(map.revision, newest, ...[...gates.values()].map((gate) => gate?.revision ?? 0));
  const isRight = own?.isOpen === true && own.revision === map.revision && highest === map.revision;
  const stepOf = (server: string, gate: FoundGate) => {
    if (server === map.server) return isRight ? "none" : "open";
    return gate?.isOpen ? "close" : "none";
  };
  return {
    steps: new Map([...gates].map(([server, gate]) => [server, stepOf(server, gate)])),
    revision: isRight ? map.revision : highest + 1,
  };
}
