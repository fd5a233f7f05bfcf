import type { Service } from "moleculer";
import { call, type DurableEvents } from "../contracts.ts";
import type { Books } from "../durable-event.ts";

/** The events since a time, told again by the services whose books know them. */

export async function* settledSince(
  this: Service,
  { since, read }: Books,
): AsyncGenerator<DurableEvents["gift.settled"]> {
  let cursor: string | undefined;
  do {
    const page = await read(() => call(this.broker, "gift.settledSince", { since: since.toISOString(), cursor }));
    if (page.gifts.length > 0) yield { gifts: page.gifts };
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export async function* creditedSince(
  this: Service,
  { since, read }: Books,
): AsyncGenerator<DurableEvents["wallet.credited"]> {
  const span = { from: since.toISOString(), to: new Date().toISOString() };
  let cursor: string | undefined;
  do {
    const page = await read(() => call(this.broker, "wallet.creditsBetween", { ...span, cursor }));
    yield* page.list;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
