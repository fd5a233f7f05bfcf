import { rechargeBizCode } from "../first-catalogue.ts";
import type { Product } from "./payment.contract.ts";

/** The table of products, for mixins/catalogue-table.mixin.ts. */
export const productColumns = {
  id: ["id", "integer"],
  name: ["name", "text"],
  price: ["price", "integer"],
  extra: ["extra", "json"],
  type: ["type", "integer"],
  validStatus: ["valid_status", "integer"],
  createTime: ["create_time", "time"],
  updateTime: ["update_time", "time"],
} as const;

export interface ProductRow {
  id: number;
  name: string;
  price: number;
  extra: unknown;
  type: number;
  validStatus: number;
}

/** A product that can be sold: on sale, with a valid price and number of coins. */
export interface Offer {
  readonly productId: number;
  readonly name: string;
  /** Fen. */
  readonly price: number;
  readonly coins: number;
  /** The purpose of a paid order: t_pay_topic.biz_code. */
  readonly bizCode: number;
}

const bizCodeOfType: ReadonlyMap<number, number> = new Map([[0, rechargeBizCode]]);

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** The coins of a product; `null` where the row has no valid number. */
export function coinsOf({ extra }: Pick<ProductRow, "extra">): number | null {
  const coins = (extra as { coin?: unknown } | null)?.coin;
  return isAmount(coins) ? coins : null;
}

/**
 * The product as an offer; `null` where it is not on sale, has an unknown type, or an invalid price or number of coins.
 */
export function offerOf(row: ProductRow | null): Offer | null {
  const bizCode = row ? bizCodeOfType.get(row.type) : undefined;
  if (!row || bizCode === undefined || row.validStatus !== 1) return null;
  const coins = coinsOf(row);
  if (!isAmount(row.price) || coins === null) return null;
  return { productId: row.id, name: row.name, price: row.price, coins, bizCode };
}

/** The products that can be sold, for buyers. */
export function shownProducts(rows: readonly ProductRow[]): Product[] {
  const offers = rows.map(offerOf).filter((offer) => offer !== null);
  return offers.map(({ productId: id, name, coins: coinNum }) => ({ id, name, coinNum }));
}
