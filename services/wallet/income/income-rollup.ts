import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { rollUpIncomes } from "./income-store.ts";

/**
 * Adds up what anchors earned, apart from the gifts' transactions: gifts never lock an anchor's row. It runs at a fixed
 * interval and is not woken by gifts: each round writes one row for each anchor, so fewer rounds write fewer rows.
 */
export function openIncomeRollup(wallet: Service & MysqlState): BackgroundLoop {
  const { incomeBatchRows, incomeRollupEveryMs } = limits.wallet;
  return new BackgroundLoop({
    name: "income roll-up",
    idleMs: incomeRollupEveryMs,
    errorBackoffMs: limits.outbox.errorBackoffMs,
    log: wallet.logger as never,
    round: async () => (await wallet.mysql.transaction((tx) => rollUpIncomes(tx, incomeBatchRows))) === incomeBatchRows,
  });
}
