import { z } from "zod";
import { call, type ResultOf } from "../../contracts.ts";
import { type CatalogueGift, giftActions } from "../../gift/gift.contract.ts";
import { fromHttp } from "../../http-fields.ts";
import { paymentOperatorActions } from "../../payment/operators.contract.ts";
import { shownGift } from "../../shown-gifts.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownProduct = z.object({
  productId: z.int(),
  name: z.string(),
  price: z.int().meta({ description: "Fen." }),
  coins: z.int().nullable().meta({ description: "null: the product has no valid number, and is not sold." }),
  type: z.int().meta({ description: "0 coins" }),
  status: z.int().meta({ description: "0 not on sale, 1 on sale" }),
  createTime: z.string(),
  updateTime: z.string(),
});

export const catalogueEndpoints = [
  staffEndpoint({
    path: "gift/all",
    summary: "Every gift, on sale or not, by gift id",
    right: "read",
    params: {},
    result: z.object({ list: z.array(shownGift) }),
    async run(ctx, _params, { operator }) {
      const gifts: CatalogueGift[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const page: ResultOf<"gift.allGifts"> = await call(ctx, "gift.allGifts", { after, operator });
        gifts.push(...page.list);
        after = page.nextAfter;
      }
      return { list: gifts };
    },
  }),

  staffEndpoint({
    path: "gift/create",
    summary: "Adds a gift to the catalogue, on sale",
    right: "catalogue",
    params: fromHttp(giftActions.create, "operator"),
    result: shownGift,
    failures: ["giftIdTaken"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "createGift", params),
  }),

  staffEndpoint({
    path: "gift/update",
    summary: "Changes a gift; accepted gifts keep their price",
    right: "catalogue",
    params: fromHttp(giftActions.update, "operator"),
    result: shownGift,
    failures: ["giftUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "updateGift", params),
  }),

  staffEndpoint({
    path: "gift/offShelf",
    summary: "Takes a gift off sale",
    right: "catalogue",
    params: fromHttp(giftActions.takeOffShelf, "operator"),
    result: shownGift,
    failures: ["giftUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "takeGiftOffShelf", params),
  }),

  staffEndpoint({
    path: "product/list",
    summary: "Every product, on sale or not",
    right: "read",
    params: fromHttp(paymentOperatorActions.allProducts, "operator"),
    result: z.object({ list: z.array(shownProduct) }),
    run: (ctx, _params, { operator }) => call(ctx, "payment.allProducts", { operator }),
  }),

  staffEndpoint({
    path: "product/create",
    summary: "Adds a product of coins, on sale; a repeat with the same content answers the product",
    right: "catalogue",
    params: fromHttp(paymentOperatorActions.createProduct, "operator"),
    result: shownProduct,
    failures: ["productIdTaken"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "createProduct", params),
  }),

  staffEndpoint({
    path: "product/update",
    summary: "Changes a product, or puts it on or off sale; orders keep their price and coins",
    right: "catalogue",
    params: fromHttp(paymentOperatorActions.updateProduct, "operator"),
    result: shownProduct,
    failures: ["productUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "updateProduct", params),
  }),

  staffEndpoint({
    path: "product/offShelf",
    summary: "Takes a product off sale",
    right: "catalogue",
    params: fromHttp(paymentOperatorActions.updateProduct, "operator", "name", "price", "coins", "status"),
    result: shownProduct,
    failures: ["productUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "updateProduct", { ...params, status: 0 }),
  }),
];
