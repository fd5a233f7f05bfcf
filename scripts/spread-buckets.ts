import type { ServersOfBuckets } from "../services/wallet/buckets.contract.ts";

/** How buckets are spread over servers, and shown. Pure. */

/** Ranges, e.g. `0-12, 14`. */
export function shownBuckets(buckets: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < buckets.length; ) {
    let to = from;
    while (buckets[to + 1] === (buckets[to] as number) + 1) to++;
    parts.push(from === to ? String(buckets[from]) : `${buckets[from]}-${buckets[to]}`);
    from = to + 1;
  }
  return parts.join(", ") || "none";
}

/** The next move that makes the servers more equal; `undefined` where none does. */
export function nextOfSpread(servers: ServersOfBuckets["servers"]): { bucket: number; server: string } | undefined {
  const ordered = servers.toSorted((a, b) => b.buckets.length - a.buckets.length);
  const [most, least] = [ordered[0], ordered.at(-1)];
  const bucket = most?.buckets.at(-1);
  if (!most || !least || bucket === undefined || most.buckets.length - least.buckets.length < 2) return undefined;
  return { bucket, server: least.name };
}
