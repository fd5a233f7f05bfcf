import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { externalOrderOf, isOfPlatform, payOrderOf } from "./business-ids.ts";
import { type DebtChange, debtHistory } from "./debts.ts";
import { readDebts, readTrades } from "./statement-store.ts";
import type { StatementRow } from "./wallet.contract.ts";

/** Bounds the orders of a row: a page of a hundred recharges that each paid off many debts must fit into a message. */
function shownDebt({ orders, ...debt }: DebtChange): DebtChange {
  return { ...debt, orders: orders.slice(0, limits.wallet.debtOrdersShown) };
}

const gift = 0;
const refund = 2;

/** The order of a row: of the payment service, or of the platform, whose adjustments have none. */
function orderOf(bizId: string): Pick<StatementRow, "orderId" | "externalOrderId"> {
  const externalOrderId = externalOrderOf(bizId);
  if (externalOrderId !== undefined) return { externalOrderId };
  return isOfPlatform(bizId) ? {} : { orderId: payOrderOf(bizId) };
}

/**
 * A page of a user's trades, newest first. Trades of payments have their order id; those that changed the debt have the
 * change and its refunded orders. Debts are read after the trades, so no debt of the page is missing.
 */
export async function statementPage(
  db: Queryable,
  { userId, cursor, limit }: { userId: string; cursor?: string; limit: number },
): Promise<{ list: StatementRow[]; nextCursor: string | null }> {
  const trades = await readTrades(db, userId, cursor, limit + 1);
  const list = trades.slice(0, limit);
  const { changes } = debtHistory(list.some(({ type }) => type === refund) ? await readDebts(db, userId) : []);
  return {
    list: list.map((trade) => {
      if (trade.type === gift) return trade;
      const debt = changes.get(trade.bizId);
      return { ...trade, ...orderOf(trade.bizId), ...(debt && { debt: shownDebt(debt) }) };
    }),
    nextCursor: trades.length > limit ? (list.at(-1)?.id ?? null) : null,
  };
}
