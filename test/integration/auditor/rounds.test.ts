import type { ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { serverTime } from "../../../services/auditor/checks/windows-store.ts";
import { checksOf, runCheck } from "../../../services/auditor/comparison.ts";
import type { Difference } from "../../../services/auditor/differences.ts";
import { bookKeys } from "../../../services/book-keys.ts";
import { rows } from "../../support/books.ts";
import { startNode, stopAll } from "../../support/system.ts";
import { funded, give, openDatabases, startWallet, underWayMs } from "./bookkeeping.ts";

/** What a round finds by itself: of large books a full pass is late. */

jest.setTimeout(60_000);

const ledger = "t_qiyu_currency_trade";
let caller: ServiceBroker;
let intruder: Connection;
let books: Database;

beforeAll(async () => {
  intruder = await openDatabases();
  await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  books = new Database(databaseName("wallet"), { connections: 2 });
});
afterAll(async () => {
  await books?.close();
  await intruder?.end();
  await stopAll();
});

/** One round over what is new since a time. */
async function round(since: Date): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const check of checksOf({ books, own: null, keys: bookKeys(), everyRow: false, underWayMs }))
    if (check.rounds)
      await runCheck(check, since, {
        ...{ secondLookMs: 1, isKnown: () => false, pageDone: async () => {} },
        found: async (differences) => void found.push(...differences),
      });
  return found;
}

test("a balance that was set by hand and spent is named with the row that has it, and true rows are not", async () => {
  const since = await serverTime(books);
  const [fan, other] = [await funded(intruder, caller, 50), await funded(intruder, caller, 50)];
  await give(intruder, caller, fan, [{}, {}]);
  await give(intruder, caller, other, [{}, {}, { price: 1_000 }]);
  expect(await round(since)).toEqual([]);
  await intruder.query("UPDATE t_qiyu_currency_account SET current_balance = 5000000 WHERE user_id = ?", [fan]);
  const [spent] = await give(intruder, caller, fan, [{}, {}]);
  const [row] = await rows<{ id: string }>("wallet", `SELECT id FROM ${ledger} WHERE biz_id = ?`, [spent!.orderId]);
  const subject = `account ${fan}`;
  const detail = `row ${row!.id} of ${ledger} left 4999990, after 30 and a row of -10`;
  expect(await round(since)).toEqual([{ kind: "balanceDiffers", subject, detail }]);
  // A round that begins between the two sees the row before its window.
  const later = await serverTime(books);
  await intruder.query("UPDATE t_qiyu_currency_account SET current_balance = 7000000 WHERE user_id = ?", [other]);
  await give(intruder, caller, other, [{}]);
  expect((await round(later)).map((one) => one.subject)).toEqual([`account ${other}`]);
});
