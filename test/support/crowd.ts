import { Person } from "./client.ts";

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
