import { limits } from "../../config/limits.ts";
import { newestFirst } from "../newest-first.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import { externalOrderOf, isBucketMove, isOfPlatform, payOrderOf } from "./business-ids.ts";
import { type DebtChange, type DebtEntry, debtHistory } from "./debts.ts";
import { readDebts, readTrades, timeOfTrade } from "./statement-store.ts";
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

interface Asked {
  readonly userId: string;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** A user's trades on all servers that have some, one more than asked for. */
async function tradesOn(servers: LedgerServers, { userId, cursor, limit }: Asked): Promise<StatementRow[]> {
  const [here, ...others] = servers.withRowsOf(userId);
  if (others.length === 0) return readTrades(here.view.mysql, userId, cursor, limit + 1);
  const own = cursor === undefined ? undefined : servers.ofId(cursor);
  const at = cursor && own ? await timeOfTrade(own.view.mysql, cursor) : undefined;
  if (cursor !== undefined && !at) return [];
  const pages = await Promise.all(
    [here, ...others].map((server) =>
      readTrades(server.view.mysql, userId, cursor, limit + 1, server === own ? undefined : at),
    ),
  );
  return newestFirst(pages, ({ createTime }) => createTime, limit + 1);
}

/** A user's debts on all servers that have some, as if they had never moved. */
export async function debtsOn(servers: LedgerServers, userId: string): Promise<DebtEntry[]> {
  const [here, ...others] = servers.withRowsOf(userId);
  if (others.length === 0) return readDebts(here.view.mysql, userId);
  return joinedDebts(await Promise.all([here, ...others].map(({ view }) => readDebts(view.mysql, userId))));
}

/** What several servers have of a user's debts, as if they had never moved. */
export function joinedDebts(all: readonly (readonly (DebtEntry & { time: Date })[])[]): DebtEntry[] {
  const debts = all.flat().sort((a, b) => a.time.getTime() - b.time.getTime());
  return debts.filter(({ bizId }) => !isBucketMove(bizId));
}

/**
 * A page of a user's trades, newest first. Trades of payments have their order id; those that changed the debt have the
 * change and its refunded orders. Debts are read after the trades, so no debt of the page is missing.
 */
export async function statementPage(
  servers: LedgerServers,
  { userId, cursor, limit }: Asked,
): Promise<{ list: StatementRow[]; nextCursor: string | null }> {
  const trades = await tradesOn(servers, { userId, cursor, limit });
  const list = trades.slice(0, limit);
  const { changes } = debtHistory(list.some(({ type }) => type === refund) ? await debtsOn(servers, userId) : []);
  return {
    list: list.map((trade) => {
      if (trade.type === gift) return trade;
      const debt = changes.get(trade.bizId);
      return { ...trade, ...orderOf(trade.bizId), ...(debt && { debt: shownDebt(debt) }) };
    }),
    nextCursor: trades.length > limit ? (list.at(-1)?.id ?? null) : null,
  };
}
