import type { Context } from "moleculer";
import { call } from "../../contracts.ts";
import type { CreditBooks } from "./reconcile.ts";

/** The wallet's books, read with the context of a call. */
export function creditBooks(ctx: Context): CreditBooks {
  return {
    creditsOf: async (orderIds) => (await call(ctx, "wallet.creditsOf", { orderIds: [...orderIds] })).list,
    async *creditsBetween(from, to) {
      let cursor: string | undefined;
      do {
        const span = { from: from.toISOString(), to: to.toISOString(), cursor };
        const { list, nextCursor } = await call(ctx, "wallet.creditsBetween", span);
        yield list;
        cursor = nextCursor ?? undefined;
      } while (cursor !== undefined);
    },
  };
}
