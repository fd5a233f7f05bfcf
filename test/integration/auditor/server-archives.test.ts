import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { archivedTables } from "../../../services/archived-tables.ts";
import { type FurtherBooks, openFurtherBooks } from "../../../services/auditor/further-books.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { rows } from "../../support/books.ts";
import { recharge } from "../../support/recharge.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { addSecondServer, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { giftOf, settle } from "../wallet/traffic.ts";
import { compared, TestMover } from "./archiving.ts";
import { insertOrder, openDatabases, record, refund, startWallet } from "./bookkeeping.ts";

/** The comparison of books on two servers, of which each has archived months. */

jest.setTimeout(180_000);

const anchor = "77";
let both: SecondServer;
let caller: ServiceBroker;
let books: Database;
let own: Database;
let further: FurtherBooks[];
/** What a person with the logins of others can do, on each server. */
let atHome: Connection;
let atB: Connection;

const verified = () => compared({ books, own, further }, true);
const passed = () => compared({ books, own, further }, false);

beforeAll(async () => {
  atHome = await openDatabases();
  await migrate(databaseName("auditor"), migrationFolders.auditor);
  both = await addSecondServer();
  atB = await createConnection({
    ...{ uri: both.urls.b, database: databaseName("wallet"), supportBigNumbers: true, bigNumberStrings: true },
    timezone: "Z",
  });
  const wallet = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", wallet.nodeID);
  books = new Database(databaseName("wallet"), { connections: 2, retried: () => {} });
  own = new Database(databaseName("auditor"), { connections: 1 });
  further = openFurtherBooks(2);
});
afterAll(async () => {
  await Promise.all([atHome?.end(), atB?.end(), books?.close(), own?.close()]);
  await Promise.all((further ?? []).map((one) => one.books.close()));
  await closeAudits();
  await stopAll();
  await both?.close();
});

async function move(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
  await eventually(`bucket ${bucket} at ${server}`, async () => {
    return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
  });
}

async function funded(bucket: number, coins: number): Promise<string> {
  const [user] = usersOf(bucket, 1) as [string];
  await insertOrder(atHome, `order-${user}`, user, coins);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

/** Charges gifts one after the other and writes their records where their charges are. */
async function give(from: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const gift = giftOf(from, { receiverId: anchor, price: 1 + n });
    const [outcome] = await settle(caller, [gift]);
    await record(outcome?.server === "b" ? atB : atHome, [gift]);
  }
}

test("archives on both servers raise no alarm, before, while and after rows are moved, also of a bucket that moves", async () => {
  await move(3, "b");
  const [first, second, third] = [await funded(2, 400), await funded(3, 400), await funded(4, 300)];
  for (const user of [first, second, third]) await give(user, 5);
  await refund(atHome, first, 400);
  await move(4, "b");
  await give(third, 3);
  for (const user of [second, await funded(2, 9)]) await give(user, 2);
  expect(await verified()).toEqual([]);
  let moved = 0;
  for (const url of [both.urls.b, both.urls.home])
    for (const table of archivedTables) {
      const mover = new TestMover(table, { segmentRows: 8, sliceRows: 5 }, url);
      await mover.until("nothing", async (did) => {
        if (did === "emptying" && moved++ % 2 === 0) expect(await verified()).toEqual([]);
      });
      await mover.close();
    }
  expect(moved).toBeGreaterThan(4);
  expect(await verified()).toEqual([]);
  expect(await passed()).toEqual([]);
  await give(third, 1);
  expect(await passed()).toEqual([]);
  // What the auditor has seen of both servers stands side by side.
  const seen = await rows<{ name: string }>("auditor", "SELECT DISTINCT table_name AS name FROM t_book_segment");
  expect(new Set(seen.map(({ name }) => name))).toEqual(
    new Set(archivedTables.flatMap(({ table }) => [table, `${table}@b`])),
  );
});

/** Runs a change of the further server's books, and takes it back. */
async function foundAfter(change: string, back: string, values: unknown[] = []): Promise<string[]> {
  await atB.query(change, values);
  try {
    return (await verified()).map(({ kind, subject }) => `${kind} ${subject}`);
  } finally {
    await atB.query(back, values);
  }
}

test("what somebody does to the further server's archive is named with the server", async () => {
  const trades = "t_qiyu_currency_trade_archive";
  const [[row]] = (await atB.query(`SELECT id FROM ${trades} WHERE type = 0 ORDER BY id LIMIT 1`)) as unknown as [
    { id: string }[],
  ];
  const id = row?.id;
  expect(
    await foundAfter(
      ...([
        `UPDATE ${trades} SET num = num - 1 WHERE id = ?`,
        `UPDATE ${trades} SET num = num + 1 WHERE id = ?`,
      ] as const),
      [id],
    ),
  ).toEqual(
    expect.arrayContaining([
      `rowChanged t_qiyu_currency_trade ${id} at b`,
      "archiveDiffers segment 1 of t_qiyu_currency_trade at b",
    ]),
  );
  expect(
    await foundAfter(
      "UPDATE t_archive_segment SET row_sum = row_sum + 1 WHERE segment = 1",
      "UPDATE t_archive_segment SET row_sum = row_sum - 1 WHERE segment = 1",
    ),
  ).toEqual(expect.arrayContaining(["segmentForged segment 1 of t_qiyu_currency_trade at b"]));
  expect(
    await foundAfter(
      "UPDATE t_trade_archive_sum SET num = num + 1 LIMIT 1",
      "UPDATE t_trade_archive_sum SET num = num - 1 LIMIT 1",
    ),
  ).toEqual(expect.arrayContaining(["archiveSumDiffers t_trade_archive_sum at b"]));
  const [[credit]] = (await atB.query(
    `SELECT biz_id FROM ${trades} WHERE type = 1 ORDER BY id LIMIT 1`,
  )) as unknown as [{ biz_id: string }[]];
  const orders = `${databaseName("payment")}.t_pay_order`;
  await atHome.query(`UPDATE ${orders} SET coins = coins - 1 WHERE order_id = ?`, [credit?.biz_id]);
  expect((await verified()).map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(
    expect.arrayContaining([`creditWithoutOrder order ${credit?.biz_id} at b`]),
  );
  await atHome.query(`UPDATE ${orders} SET coins = coins + 1 WHERE order_id = ?`, [credit?.biz_id]);
  const arrived = "biz_id LIKE 'bucket-in:%' ORDER BY id LIMIT 1";
  const [[carried]] = (await atB.query(`SELECT id, biz_id FROM ${trades} WHERE ${arrived}`)) as unknown as [
    { id: string; biz_id: string }[],
  ];
  expect(
    await foundAfter(
      ...([
        `UPDATE ${trades} SET num = num - 1 WHERE id = ?`,
        `UPDATE ${trades} SET num = num + 1 WHERE id = ?`,
      ] as const),
      [carried?.id],
    ),
  ).toEqual(expect.arrayContaining([`moveOfBucketDiffers ${carried?.biz_id} at b`]));
  expect(await verified()).toEqual([]);
});
