import type { Service } from "moleculer";
import { call, type DurableEvents } from "./contracts.ts";
import type { Books } from "./durable-event.ts";
import type { SettledPage } from "./gift/gift.contract.ts";

/** The gifts settled since a time, told again from the gift service's books to a consumer of `gift.settled`. */
export async function* settledSince(
  this: Service,
  { since, read }: Books,
): AsyncGenerator<DurableEvents["gift.settled"]> {
  let cursor: string | undefined;
  let until: string | undefined;
  do {
    const next = { since: since.toISOString(), until, cursor };
    const page: SettledPage = await read(() => call(this.broker, "gift.settledSince", next));
    if (page.gifts.length > 0) yield { gifts: page.gifts };
    cursor = page.nextCursor ?? undefined;
    until = page.until;
  } while (cursor !== undefined);
}
