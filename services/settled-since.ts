import type { DurableEvents } from "./contracts.ts";
import type { Books } from "./durable-event.ts";
import type { SettledPage } from "./gift/gift.contract.ts";

/**
 * The gifts settled since a time, told again from the gift records: for consumers of `gift.settled` that missed events.
 * @param page calls `gift.settledSince`
 */
export async function* settledPages(
  { since, read }: Books,
  page: (next: { since: string; until?: string | undefined; cursor?: string | undefined }) => Promise<SettledPage>,
): AsyncGenerator<DurableEvents["gift.settled"]> {
  let cursor: string | undefined;
  let until: string | undefined;
  do {
    const next = { since: since.toISOString(), until, cursor };
    const { gifts, nextCursor, until: end }: SettledPage = await read(() => page(next));
    if (gifts.length > 0) yield { gifts };
    cursor = nextCursor ?? undefined;
    until = end;
  } while (cursor !== undefined);
}
