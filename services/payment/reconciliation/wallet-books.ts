import type { Context, ServiceBroker } from "moleculer";
import { call } from "../../contracts.ts";
import type { BookedCoins } from "./compare.ts";
import type { WalletBooks } from "./reconcile.ts";

interface Page {
  list: BookedCoins[];
  nextCursor: string | null;
}

async function* pages(from: Date, to: Date, read: (span: Span) => Promise<Page>): AsyncGenerator<BookedCoins[]> {
  let cursor: string | undefined;
  do {
    const { list, nextCursor } = await read({ from: from.toISOString(), to: to.toISOString(), cursor });
    yield list;
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}
interface Span {
  from: string;
  to: string;
  cursor?: string;
}

/** The wallet's books, read by its actions: with the context of a call, or by a job of this node. */
export function walletBooks(caller: Pick<Context, "call"> | Pick<ServiceBroker, "call">): WalletBooks {
  return {
    creditsOf: async (orderIds) => (await call(caller, "wallet.creditsOf", { orderIds: [...orderIds] })).list,
    refundsOf: async (orderIds) => (await call(caller, "wallet.refundsOf", { orderIds: [...orderIds] })).list,
    creditsBetween: (from, to) =>
      pages(from, to, async (span) => {
        const { list, nextCursor } = await call(caller, "wallet.creditsBetween", span);
        // What the platform sold itself has no order here: the auditor compares it with the platform's orders.
        return { list: list.filter(({ externalOrderId }) => externalOrderId === undefined), nextCursor };
      }),
    refundsBetween: (from, to) => pages(from, to, (span) => call(caller, "wallet.refundsBetween", span)),
  };
}
