import type { Service } from "moleculer";
import type { DurableEvents } from "./contracts.ts";
import type { Books } from "./durable-event.ts";
import type { SettledPage } from "./gift/gift.contract.ts";

interface Next {
  readonly since: string;
  readonly until: string | undefined;
  readonly cursor: string | undefined;
}

/**
 * The gifts settled since a time, told again from the gift service's books, for the `fromBooks` of a consumer of
 * `gift.settled`. `ask` calls `gift.settledSince`.
 */
export function settledSince(ask: (service: Service, next: Next) => Promise<SettledPage>) {
  return async function* pages(this: Service, { since, read }: Books): AsyncGenerator<DurableEvents["gift.settled"]> {
    let cursor: string | undefined;
    let until: string | undefined;
    do {
      const next = { since: since.toISOString(), until, cursor };
      const page: SettledPage = await read(() => ask(this, next));
      if (page.gifts.length > 0) yield { gifts: page.gifts };
      cursor = page.nextCursor ?? undefined;
      until = page.until;
    } while (cursor !== undefined);
  };
}
