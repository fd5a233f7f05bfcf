import { fail } from "../../../broker/failure.ts";
import type { Database } from "../../../mixins/mysql/database.ts";
import { KeyPromotion } from "../../../services/webhook/key-promotion.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

test("an ordered subscription that cannot be read holds up no other, and several become due in one transaction", async () => {
  let transactions = 0;
  const due: unknown[] = [];
  const tx = {
    query: async (_sql: string, [ids]: [string[]]) => ids.map((webhook_id) => ({ webhook_id })),
    run: async (_sql: string, [ids]: [string[]]) => due.push(...ids),
  };
  const mysql = {
    async query(_sql: string, [id]: [string]) {
      if (id === "1") throw fail("unavailable");
      return [{ id: `${id}0` }];
    },
    async transaction(work: (run: typeof tx) => Promise<void>) {
      transactions++;
      await work(tx);
    },
  };
  let promoted = 0;
  const promotion = new KeyPromotion({
    ...{ mysql: mysql as unknown as Database, holder: "node", lookEveryMs: 60_000, log: silentLog },
    owned: () => ["1", "2", "3"].map((id) => ({ id, orderBy: "room" as const })),
    promoted: () => promoted++,
  });
  await eventually("a round", () => promoted > 0);
  await promotion.stop();
  expect([due, transactions]).toEqual([["20", "30"], 1]);
});
