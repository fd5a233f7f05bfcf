import { fail } from "../../broker/failure.ts";
import type { CatalogueState } from "../../mixins/catalogue-table.mixin.ts";
import { isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { ProductRecord } from "./operators.contract.ts";
import { coinsOf, type ProductRow, type productColumns } from "./product.ts";

type Editing = CatalogueState<typeof productColumns>;

/** The only type of product. */
const coinProduct = 0;

function recordOf(row: ProductRow & { createTime: Date; updateTime: Date }): ProductRecord {
  return {
    productId: row.id,
    name: row.name,
    price: row.price,
    coins: coinsOf(row),
    type: row.type,
    status: row.validStatus,
    createTime: row.createTime.toISOString(),
    updateTime: row.updateTime.toISOString(),
  };
}

/** Every product, by id. */
export async function listProducts({ catalogue }: Editing): Promise<{ list: ProductRecord[] }> {
  return { list: (await catalogue.find({ sort: "id" })).map(recordOf) };
}

interface NewProduct {
  productId: number;
  name: string;
  /** Fen. */
  price: number;
  coins: number;
}

/**
 * Adds a product of coins, on sale. A repeat with the same content answers the product as it is. Committed when it
 * resolves. Fails: productIdTaken.
 */
export async function createProduct({ catalogue }: Editing, product: NewProduct): Promise<ProductRecord> {
  const { productId, name, price, coins } = product;
  try {
    const extra = { coin: coins };
    return recordOf(await catalogue.insert({ id: productId, name, price, extra, type: coinProduct, validStatus: 1 }));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const there = await catalogue.byId(productId);
    // A node of a database cluster may show a commit of another one a little later: it may be this very product.
    if (!there) throw fail("unavailable", { productId });
    const isSame = there.name === name && there.price === price && coinsOf(there) === coins;
    if (!isSame) throw fail("productIdTaken", { productId });
    return recordOf(there);
  }
}

interface ProductEdit {
  productId: number;
  name?: string;
  price?: number;
  coins?: number;
  status?: number;
}

/**
 * Changes the given fields of a product. Orders keep their price and coins; the next order, on any node, has the new
 * ones. Fails: productUnknown.
 */
export async function editProduct(
  { catalogue }: Editing,
  { productId, name, price, coins, status }: ProductEdit,
): Promise<ProductRecord> {
  const present = await catalogue.byId(productId);
  if (!present) throw fail("productUnknown", { productId });
  // Other fields of `extra` belong to clients of the table and stay.
  const extra = coins === undefined ? undefined : { ...(present.extra as object | null), coin: coins };
  const edit = { name, price, extra, validStatus: status };
  const changes = Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined));
  const row = await catalogue.update(productId, changes);
  if (!row) throw fail("productUnknown", { productId });
  return recordOf(row);
}
