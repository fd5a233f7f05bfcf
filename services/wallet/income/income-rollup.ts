import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { rollUpIncomes } from "./income-store.ts";

/**
 * Adds up what anchors earned, off the gifts' path: an anchor's row is never locked by those who send to her. Nobody wakes
 * it: a round posts a row an anchor, so the longer one gathers the fewer rows there are.
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
