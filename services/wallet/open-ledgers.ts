import type { Service } from "moleculer";
import { openFilters } from "../../mixins/archive/filters.ts";
import { archiveFilterBytes } from "../archive-settings.ts";
import { archivedTrades } from "../archived-tables.ts";
import { requireServers } from "../server-fence.ts";
import type { ServerView } from "./buckets/ledger-servers.ts";
import { movingBuckets } from "./buckets/move-bucket.ts";
import { SplitWriter } from "./buckets/split-writer.ts";
import { registerGates, watchGates } from "./buckets/watch-gates.ts";
import { IncomeRollup } from "./income/income-rollup.ts";
import { openWriter } from "./open-writer.ts";
import type { WalletState } from "./wallet-state.ts";

/**
 * Opens the ledger writer and the roll-up of each server, with the filters of its own archive, and where there are several
 * servers the moves of buckets and the comparison of their gates. Rejects where the home server is away.
 */
export async function openLedgers(wallet: Service & WalletState): Promise<void> {
  const { servers } = wallet;
  const [home] = servers.all;
  for (const { name, view, presence } of servers.all) {
    const how = presence ? { mayBeAway: true } : { beforeLoad: () => requireServers("wallet", wallet.mysql) };
    view.archive = await openFilters(view, archivedTrades, archiveFilterBytes(servers.all.length), how);
    view.writer = openWriter(Object.assign(view, { locks: wallet.locks, funds: wallet.funds }), servers, name);
  }
  wallet.incomeRollups = servers.all.map(({ view }) => new IncomeRollup(view));
  wallet.writer = servers.isSeveral ? new SplitWriter(servers) : home.view.writer;
  registerGates(wallet);
  wallet.bucketLoops = servers.isSeveral ? [movingBuckets(wallet), watchGates(wallet)] : [];
}

/** Resolves once nothing is written any more. What was not opened is left out. */
export async function closeLedgers(wallet: Service & Partial<WalletState>): Promise<void> {
  const { bucketLoops = [], writer, incomeRollups = [], servers } = wallet;
  await Promise.all(bucketLoops.map((loop) => loop.stop()));
  await writer?.drain();
  await Promise.all(incomeRollups.map((rollup) => rollup.stop()));
  await Promise.all((servers?.all ?? []).map(({ view }) => (view as Partial<ServerView>).archive?.stop()));
}
