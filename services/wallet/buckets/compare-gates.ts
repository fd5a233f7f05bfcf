import type { BucketMap } from "./bucket-map.ts";

/** Compares the map of buckets with the gates of the servers. Pure. */

export interface Gate {
  readonly bucket: number;
  readonly isOpen: boolean;
  readonly revision: number;
}

/**
 * What does not agree, the gravest first:
 *
 *   openTwice      two servers write rows of a bucket: its users have two balances
 *   openElsewhere  another server than the map names writes them: they are refused, or written where nobody looks
 *   closed         no server writes them, and no move is under way: they are refused
 *   revision       the server's gate has another revision than the map: they are refused
 */
export const gateFaults = ["openTwice", "openElsewhere", "closed", "revision"] as const;

export interface GateFault {
  readonly kind: (typeof gateFaults)[number];
  readonly bucket: number;
  /** The server of the map first, then those whose gates are open, with their revisions, e.g. `home 3`. */
  readonly about: string;
}

export interface Compared {
  readonly map: Pick<BucketMap, "serverOf" | "revisionOf">;
  readonly buckets: number;
  /** Of the servers that could be read. */
  readonly gates: ReadonlyMap<string, readonly Gate[]>;
  /** The buckets with a move that is not done. */
  readonly moving: ReadonlySet<number>;
}

export function compareGates({ map, buckets, gates, moving }: Compared): GateFault[] {
  const open = new Map<number, { server: string; revision: number }[]>();
  for (const [server, own] of gates)
    for (const { bucket, isOpen, revision } of own)
      if (isOpen) open.set(bucket, [...(open.get(bucket) ?? []), { server, revision }]);
  return Array.from({ length: buckets }, (_, bucket) => {
    const wanted = { server: map.serverOf(bucket), revision: map.revisionOf(bucket) };
    const kind = faultOf(wanted, open.get(bucket) ?? [], gates.has(wanted.server) && !moving.has(bucket));
    const texts = [wanted, ...(open.get(bucket) ?? [])].map(({ server, revision }) => `${server} ${revision}`);
    return kind ? [{ kind, bucket, about: texts.join(", ") }] : [];
  }).flat();
}

interface At {
  readonly server: string;
  readonly revision: number;
}

/** `mustBeOpen`: the server of the map could be read, and no move is under way. */
function faultOf(wanted: At, open: readonly At[], mustBeOpen: boolean): GateFault["kind"] | undefined {
  const [first, second] = open;
  if (second) return "openTwice";
  if (!first) return mustBeOpen ? "closed" : undefined;
  if (first.server !== wanted.server) return "openElsewhere";
  return first.revision === wanted.revision ? undefined : "revision";
}
