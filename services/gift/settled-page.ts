import type { Queryable } from "../../mixins/mysql/database.ts";
import type { SettledPage } from "./gift.contract.ts";
import { effectsOf, settledSince } from "./gift-store.ts";

/** A page of `settledSince` of one server; the effects are those of the catalogue, which the home server has. */
export async function settledPage(
  db: Queryable,
  home: Queryable,
  asked: { since: Date; until?: string | undefined; cursor?: string | undefined },
): Promise<SettledPage> {
  const page = await settledSince(db, asked);
  if (db === home || page.gifts.length === 0) return page;
  const effects = await effectsOf(home, [...new Set(page.gifts.map(({ giftId }) => giftId))]);
  return { ...page, gifts: page.gifts.map((gift) => ({ ...gift, url: effects.get(gift.giftId) ?? "" })) };
}
