import type { ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { unjoinedForMs } from "../../../mixins/seals/seal-store.ts";
import { newLinksCheck } from "../../../services/auditor/checks/chains.ts";
import type { Page } from "../../../services/auditor/checks/check.ts";
import { lateCheckpointCheck } from "../../../services/auditor/checks/checkpoints.ts";
import { serverTime } from "../../../services/auditor/checks/windows-store.ts";
import { checksOf, type RunPorts, runCheck } from "../../../services/auditor/comparison.ts";
import type { Difference } from "../../../services/auditor/differences.ts";
import { allBookKeys, bookKeys } from "../../../services/book-keys.ts";
import { rows } from "../../support/books.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { funded, give, openDatabases, startWallet, underWayMs } from "./bookkeeping.ts";

/** What a round finds by itself: of large books a full pass is late. */

jest.setTimeout(60_000);

const ledger = "t_qiyu_currency_trade";
let caller: ServiceBroker;
let wallet: ServiceBroker;
let intruder: Connection;
let books: Database;

beforeAll(async () => {
  intruder = await openDatabases();
  wallet = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  books = new Database(databaseName("wallet"), { connections: 2 });
});
afterAll(async () => {
  await books?.close();
  await intruder?.end();
  await closeAudits();
  await stopAll();
});

/** The wallet's seals. */
const wallets = () => ({ service: "wallet" as const, db: books, keys: bookKeys("wallet") });

/** What differs, and the pages. */
function collected() {
  const found: Difference[] = [];
  const pages: Page[] = [];
  const ports: RunPorts = {
    ...{ secondLookMs: 1, isKnown: () => false },
    found: async (differences) => found.push(...differences) > 0,
    pageDone: async (_check, page) => void pages.push(page),
  };
  return { found, pages, ports };
}

/** One round over what is new since a time. */
async function round(since: Date): Promise<Difference[]> {
  const { found, ports } = collected();
  for (const check of checksOf({ books, own: null, keys: allBookKeys(), everyRow: false, underWayMs }))
    if (check.rounds) await runCheck(check, since, ports);
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
  expect(await round(since)).toEqual([{ kind: "balanceDiffers", subject, detail, measure: "by 4999970" }]);
  // A round that begins between the two sees the row before its window.
  const later = await serverTime(books);
  await intruder.query("UPDATE t_qiyu_currency_account SET current_balance = 7000000 WHERE user_id = ?", [other]);
  await give(intruder, caller, other, [{}]);
  expect((await round(later)).map((one) => one.subject)).toEqual([`account ${other}`]);
});

test("a row without a seal is named where a round begins with the seal that comes right after it", async () => {
  const fan = await funded(intruder, caller, 50);
  const [empty] = await rows("wallet", "SELECT id FROM t_wallet_debt");
  expect(empty).toBeUndefined();
  await intruder.query(
    `INSERT INTO ${ledger} (user_id, num, type, status, biz_id, balance_after) VALUES (4711, 7, 3, 1, 'unsealed', 7)`,
  );
  const [row] = await rows<{ id: string }>("wallet", `SELECT id FROM ${ledger} WHERE biz_id = 'unsealed'`);
  const since = await serverTime(books);
  await give(intruder, caller, fan, [{}]);
  expect(await round(since)).toEqual([
    expect.objectContaining({ kind: "rowUnsealed", subject: `${ledger} ${row!.id}` }),
  ]);
  // Without any new seal, and in a ledger that has none at all.
  await intruder.query(`UPDATE ${ledger} SET id = id + 1000 WHERE id = ?`, [row!.id]);
  await intruder.query("INSERT INTO t_wallet_debt (user_id, num, biz_id) VALUES (4711, 7, 'unsealed')");
  const moved = (await round(await serverTime(books))).filter(({ kind }) => kind === "rowUnsealed");
  expect(moved.map(({ subject }) => subject)).toEqual([`${ledger} ${BigInt(row!.id) + 1000n}`, "t_wallet_debt 1"]);
  await intruder.query(`DELETE FROM ${ledger} WHERE biz_id = 'unsealed'`);
  await intruder.query("DELETE FROM t_wallet_debt");
});

test("new seals are read to the last one, page by page: one that is missing at their end is named", async () => {
  const fan = await funded(intruder, caller, 100);
  const since = await serverTime(books);
  for (let n = 0; n < 6; n++) await give(intruder, caller, fan, [{}]);
  // The income roll-up has a chain too, so the last two seals may be of two chains: only one that another follows shows.
  const [followed] = await rows<{ id: string }>(
    "wallet",
    `SELECT a.id FROM t_ledger_seal a JOIN t_ledger_seal b ON b.writer = a.writer AND b.number = a.number + 1
     ORDER BY b.id DESC LIMIT 1`,
  );
  const whole = collected();
  await runCheck(newLinksCheck(wallets(), null, 2), since, whole.ports);
  expect([whole.found, whole.pages.length > 2]).toEqual([[], true]);
  await intruder.query("DELETE FROM t_ledger_seal WHERE id = ?", [followed?.id]);
  const cut = collected();
  await runCheck(newLinksCheck(wallets(), null, 2), since, cut.ports);
  expect(cut.found.map(({ kind }) => kind)).toEqual(["sealRemoved"]);
});

test("checkpoints that stop are named, and shown by the metric, once the newest seal that is old enough is in none", async () => {
  const late = async (lateMs?: number) => {
    const { found, ports } = collected();
    await runCheck(lateCheckpointCheck(wallets(), lateMs), null, ports);
    return found;
  };
  await give(intruder, caller, await funded(intruder, caller, 50), [{}]);
  await eventually("the seal is in a checkpoint", async () => (await late(0)).length === 0);
  await eventually("the metric is 0", async () => (await unjoinedForMs(books)) === 0);
  await stopNode(wallet);
  await intruder.query("DELETE FROM t_ledger_checkpoint");
  expect(await unjoinedForMs(books)).toBeGreaterThan(0);
  expect((await late(0)).map(({ kind }) => kind)).toEqual(["checkpointLate"]);
  expect(await late()).toEqual([]);
});
