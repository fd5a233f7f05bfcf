import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import { broadcast } from "../contracts.ts";
import { type CatalogueCache, type giftColumns, toCatalogueGift } from "./catalogue-cache.ts";
import type { CatalogueGift, GiftEdit } from "./gift.contract.ts";

type Editing = Service & CatalogueState<typeof giftColumns> & { catalogueCache: CatalogueCache };

async function tellEveryNode(service: Editing, giftId: number): Promise<void> {
  service.catalogueCache.evict(giftId);
  await broadcast(service.broker, "gift.catalogue-changed", { giftId });
}

/**
 * Adds a gift to the catalogue, on sale. When it resolves, it is committed and removed from this node's cache. Fails:
 * giftIdTaken.
 */
export async function createGift(
  service: Editing,
  gift: Required<Pick<CatalogueGift, "giftId" | "giftName" | "price" | "coverImgUrl" | "svgaUrl">>,
): Promise<CatalogueGift> {
  try {
    const row = await service.catalogue.insert({ ...gift, status: 1 });
    await tellEveryNode(service, gift.giftId);
    return toCatalogueGift(row);
  } catch (error) {
    if (isDuplicateKey(error)) throw fail("giftIdTaken", { giftId: gift.giftId });
    throw error;
  }
}

/** Changes the given fields of a gift. Accepted gifts keep their price. Fails: giftUnknown. */
export async function editGift(service: Editing, giftId: number, edit: GiftEdit): Promise<CatalogueGift> {
  const changes = Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined));
  const row = await service.catalogue.update(giftId, changes);
  if (!row) throw fail("giftUnknown", { giftId });
  await tellEveryNode(service, giftId);
  return toCatalogueGift(row);
}
