import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import { broadcast } from "../contracts.ts";
import type { CatalogueGift, GiftEdit } from "./gift.contract.ts";
import { type giftColumns, type Shelf, toCatalogueGift } from "./shelf.ts";

type Editing = Service & CatalogueState<typeof giftColumns> & { shelf: Shelf };

async function tellEveryNode(service: Editing, giftId: number): Promise<void> {
  service.shelf.evict(giftId);
  await broadcast(service.broker, "gift.catalogue-changed", { giftId });
}

/** Puts a gift on the shelf. Committed, and forgotten by this node's cache, when it resolves. Fails: giftIdTaken. */
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

/** Changes what is given of a gift. Gifts accepted before keep their price. Fails: giftUnknown. */
export async function editGift(service: Editing, giftId: number, edit: GiftEdit): Promise<CatalogueGift> {
  const changes = Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined));
  const row = await service.catalogue.update(giftId, changes);
  if (!row) throw fail("giftUnknown", { giftId });
  await tellEveryNode(service, giftId);
  return toCatalogueGift(row);
}
