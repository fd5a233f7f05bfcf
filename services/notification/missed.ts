import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { call, type DurableEvents } from "../contracts.ts";
import type { Books } from "../durable-event.ts";
import { settledPages } from "../settled-since.ts";

/** The events since a time, told again by the services whose books know them. */

export function settledSince(this: Service, books: Books): AsyncGenerator<DurableEvents["gift.settled"]> {
  return settledPages(books, (next) => call(this.broker, "gift.settledSince", next));
}

export async function* creditedSince(
  this: Service,
  { since, read }: Books,
): AsyncGenerator<DurableEvents["wallet.credited"]> {
  // The wallet's clock may be ahead.
  const to = new Date(Date.now() + limits.jetstream.clockMarginMs);
  const span = { from: since.toISOString(), to: to.toISOString() };
  let cursor: string | undefined;
  do {
    const page = await read(() => call(this.broker, "wallet.creditsBetween", { ...span, cursor }));
    yield* page.list;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
