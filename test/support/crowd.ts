import { setTimeout as pause } from "node:timers/promises";
import { Person } from "./client.ts";
import { eventually } from "./eventually.ts";
import type { Viewer } from "./viewer.ts";

/** Runs `task` over the items, `width` at a time; gives the results in the items' order. */
export async function each<T, R>(items: readonly T[], width: number, task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await task(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** So many people, logged in, each with 1000 coins. */
export function crowd(size: number): Promise<Person[]> {
  return each(Array.from({ length: size }), 10, async () => {
    const person = await Person.login();
    await person.recharge();
    return person;
  });
}

/**
 * Waits until the viewers are on so many im-servers: an im-server that was slow to answer is named to nobody for a while.
 * Until then the first of them, who is `first`, enters again and is replaced in the list.
 */
export async function spread(
  servers: number,
  viewers: Viewer[],
  first: Person,
  roomId: number,
  timeoutMs?: number,
): Promise<void> {
  const areSpread = async () => {
    if (new Set(viewers.map(({ server }) => server)).size >= servers) return true;
    // One person's connections have a rate too.
    await pause(500);
    viewers[0] = await first.enter(roomId);
    return false;
  };
  await eventually(`viewers on ${servers} im-servers`, areSpread, timeoutMs);
}
