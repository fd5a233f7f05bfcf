import type { LedgerServers } from "./buckets/ledger-servers.ts";
import { creditsOfOrders, refundsOfOrders } from "./credit-store.ts";

/** Credits and refunds of orders, whichever server has them, archived ones too; an order without one is left out. */

export async function creditsOn(servers: LedgerServers, orderIds: readonly string[]) {
  return { list: (await servers.each((db, { view }) => creditsOfOrders(db, view.archive, orderIds))).flat() };
}

export async function refundsOn(servers: LedgerServers, orderIds: readonly string[]) {
  return { list: (await servers.each((db, { view }) => refundsOfOrders(db, view.archive, orderIds))).flat() };
}
