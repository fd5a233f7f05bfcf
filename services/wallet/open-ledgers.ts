import type { Service } from "moleculer";
import { movingBuckets } from "./buckets/move-bucket.ts";
import { SplitWriter } from "./buckets/split-writer.ts";
import { IncomeRollup } from "./income/income-rollup.ts";
import { openWriter } from "./open-writer.ts";
import type { WalletState } from "./wallet-state.ts";

/** Opens the ledger writer and the roll-up of each server, and where there are several the moves of buckets. */
export function openLedgers(wallet: Service & WalletState): void {
  const { servers } = wallet;
  const [home] = servers.all;
  for (const { name, view } of servers.all) {
    view.writer = openWriter(Object.assign(view, { locks: wallet.locks, funds: wallet.funds }), servers, name);
  }
  wallet.incomeRollups = servers.all.map(({ view }) => new IncomeRollup(view));
  wallet.writer = servers.isSeveral ? new SplitWriter(servers) : home.view.writer;
  wallet.bucketMoves = servers.isSeveral ? movingBuckets(wallet) : undefined;
}
