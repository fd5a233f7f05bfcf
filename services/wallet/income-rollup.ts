import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { rollUpIncomes } from "./wallet-store.ts";

/** Adds up what anchors earned, off the gifts' path: an anchor's row is never locked by those who send to her. */
export function openIncomeRollup(wallet: Service & MysqlState): BackgroundLoop {
  return new BackgroundLoop({
    name: "income roll-up",
    idleMs: limits.wallet.incomeIdlePollMs,
    errorBackoffMs: limits.outbox.errorBackoffMs,
    log: wallet.logger as never,
    round: async () => {
      const taken = await wallet.mysql.transaction((tx) => rollUpIncomes(tx, limits.wallet.incomeBatchRows));
      return taken > 0;
    },
  });
}
