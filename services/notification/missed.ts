import type { Service } from "moleculer";
import { call, type DurableEvents } from "../contracts.ts";

/**
 * The events since a time, read from the books of the services that wrote them. Fails: unavailable where one is away.
 */

export async function* settledSince(this: Service, since: Date): AsyncGenerator<DurableEvents["gift.settled"]> {
  let cursor: string | undefined;
  do {
    const page = await call(this.broker, "gift.settledSince", { since: since.toISOString(), cursor });
    if (page.gifts.length > 0) yield { gifts: page.gifts };
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export async function* creditedSince(this: Service, since: Date): AsyncGenerator<DurableEvents["wallet.credited"]> {
  const span = { from: since.toISOString(), to: new Date().toISOString() };
  let cursor: string | undefined;
  do {
    const page = await call(this.broker, "wallet.creditsBetween", { ...span, cursor });
    yield* page.list;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
