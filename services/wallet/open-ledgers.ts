import type { Service } from "moleculer";
import { openFilters } from "../../mixins/archive/filters.ts";
import { archiveFilterBytes } from "../archive-settings.ts";
import { archivedTrades } from "../archived-tables.ts";
import { movingBuckets } from "./buckets/move-bucket.ts";
import { SplitWriter } from "./buckets/split-writer.ts";
import { IncomeRollup } from "./income/income-rollup.ts";
import { openWriter } from "./open-writer.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * Opens the ledger writer and the roll-up of each server, with the filters of its own archive, and where there are several
 * servers the moves of buckets. Rejects where a server is away.
 */
export async function openLedgers(wallet: Service & WalletState): Promise<void> {
  const { servers } = wallet;
  const [home] = servers.all;
  for (const { name, view } of servers.all) {
    view.archive = await openFilters(view, archivedTrades, archiveFilterBytes(servers.all.length));
    view.writer = openWriter(Object.assign(view, { locks: wallet.locks, funds: wallet.funds }), servers, name);
  }
  wallet.incomeRollups = servers.all.map(({ view }) => new IncomeRollup(view));
  wallet.writer = servers.isSeveral ? new SplitWriter(servers) : home.view.writer;
  wallet.bucketMoves = servers.isSeveral ? movingBuckets(wallet) : undefined;
}
