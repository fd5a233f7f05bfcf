import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { config, databaseName, readConfigAgain } from "../../../config/config.ts";
import { placesOf } from "../../../config/server-urls.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { prepareDatabases } from "../../../scripts/databases.ts";
import { grantAtServers } from "../../../scripts/grant-at-servers.ts";
import { archivedRecords, archivedTables, archivedTrades } from "../../../services/archived-tables.ts";
import archiver from "../../../services/archiver/archiver.service.ts";
import { call } from "../../../services/contracts.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { serverOfId, walletServers } from "../../../services/wallet-servers.ts";
import { moverOf, stepsUntil } from "../../support/archive.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { groupOf } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { giftOf, settle, startWallet, walletOn } from "../wallet/traffic.ts";

/** Ledgers and records on two servers, each with an archive of its own. */

jest.setTimeout(120_000);

type Name = "home" | "b";
const router = { name: "im-router", actions: { roomGifts: () => null } } as unknown as ServiceSchema;
const bothTables = ({ table, archive }: ArchivedTable) => [table, archive];
let both: SecondServer;
let caller: ServiceBroker;
let wallet: ServiceBroker;
let giftNode: ServiceBroker;

beforeAll(async () => {
  both = await addSecondServer();
  await startNode("router", [router]);
  wallet = await startWallet("wallet-1");
  giftNode = await startNode("gift-1", [gift]);
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", wallet.nodeID);
  await waitForNode(caller, "gift", giftNode.nodeID);
  await waitForNode(wallet, "gift", giftNode.nodeID);
});
afterAll(async () => {
  await stopAll();
  await both?.close();
});

async function move(bucket: number, server: Name): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
  await eventually(
    `bucket ${bucket} at ${server}`,
    async () => (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done"),
    20_000,
  );
}

/** A bucket that no test has used. */
let bucketsUsed = 0;
const newBucket = () => ++bucketsUsed;

async function funded(bucket: number, coins = 1_000): Promise<string> {
  const [user] = usersOf(bucket, 1) as [string];
  await recharge(caller, `r-${user}`, user, coins);
  return user;
}

function accepted(senderId: string, price = 1): AcceptedGift {
  const request = { giftId: 24, roomId: 5, receiverId: "77", type: 0, count: 1 };
  const about = { orderId: randomUUID(), senderId, price, sharePercent: 50, url: "" };
  return { ...request, ...about, contentHash: contentHashOf(request), acceptedAt: new Date().toISOString() };
}

const deliver = (one: AcceptedGift) => publish(`gift.send.${partitionOf(one.senderId)}`, groupOf([one]));

/** One settled gift after the other. */
async function sent(senderId: string, count: number): Promise<AcceptedGift[]> {
  const gifts = Array.from({ length: count }, () => accepted(senderId));
  for (const one of gifts) {
    await deliver(one);
    await eventually("it is settled", async () => {
      const found = await call(caller, "gift.orderForPlatform", { orderId: one.orderId }).catch(() => undefined);
      return found?.status === "succeeded";
    });
  }
  return gifts;
}

/** Archives all that a server has, but for a newer gift of another user, and lets the nodes have the filters. */
async function archiveAt(name: Name, another: string): Promise<void> {
  const url = both.urls[name];
  for (const table of archivedTables) {
    const [row] = await rowsAt<{ n: string }>(url, table.service, "SELECT COUNT(*) AS n FROM t_archive_segment");
    const month = `2020-${String(1 + Number(row?.n)).padStart(2, "0")}`;
    const time = `'${month}-10 12:00:00.000' + INTERVAL id % 1000 SECOND`;
    await rowsAt(url, table.service, `UPDATE ${table.table} SET ${table.time} = ${time}`);
  }
  await sent(another, 1);
  for (const table of archivedTables) {
    const mysql = new Database(databaseName(table.service), { url, connections: 2 });
    await stepsUntil(moverOf(table, { mysql, url, sliceRows: 3 }));
    await mysql.close();
  }
  for (const { view } of walletOn(wallet).servers.all) await view.archive.load();
  const { records } = giftNode.getLocalService("gift") as unknown as Service & GiftState;
  for (const { archive } of records.all) await archive.load();
}

/** Where the rows of a business id are, as server and table. */
async function placesOfKey(table: ArchivedTable, key: string): Promise<string[]> {
  const found = await Promise.all(
    (["home", "b"] as const).flatMap((name) =>
      bothTables(table).map(async (one) =>
        (await rowsAt(both.urls[name], table.service, `SELECT id FROM ${one} WHERE ${table.key} = ?`, [key])).map(
          () => `${name} ${one}`,
        ),
      ),
    ),
  );
  return found.flat();
}

const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;
const chargeOf = ({ orderId, senderId, price }: AcceptedGift) =>
  giftOf(senderId, { orderId, price, roomId: 5, giftId: 24 });

async function paged<Row>(
  read: (cursor: string | undefined) => Promise<{ list: Row[]; nextCursor: string | null }>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page: Awaited<ReturnType<typeof read>> = await read(cursor);
    all.push(...page.list);
    cursor = page.nextCursor ?? undefined;
  }
  return all;
}

test("a charge that is archived on a server that the user's bucket has left is one for ever, and so is its record", async () => {
  const [here, there] = [newBucket(), newBucket()];
  const [another, fan] = [await funded(here), await funded(there)];
  const [first] = (await sent(fan, 2)) as [AcceptedGift];
  await archiveAt("home", another);
  expect(await placesOfKey(archivedTrades, first.orderId)).toEqual([`home ${archivedTrades.archive}`]);
  await move(there, "b");
  expect(await settle(caller, [chargeOf(first)])).toMatchObject([
    { status: "succeeded", repeated: true, server: "home" },
  ]);
  expect(await settle(caller, [{ ...chargeOf(first), price: 2 }])).toMatchObject([
    { status: "failed", reason: "idempotencyConflict" },
  ]);
  await deliver(first);
  await sent(fan, 1);
  expect(await balance(fan)).toBe(997);
  expect(await placesOfKey(archivedTrades, first.orderId)).toEqual([`home ${archivedTrades.archive}`]);
  expect(await placesOfKey(archivedRecords, first.orderId)).toEqual([`home ${archivedRecords.archive}`]);
  // The recharge is archived there too.
  const paid = { kind: "recharge", bizId: `r-${fan}`, userId: fan, coins: 1_000 } as const;
  expect(await walletOn(wallet).writer.submit(paid)).toMatchObject({ status: "done", repeated: true });
  expect(await balance(fan)).toBe(997);
  // Back at home, what she sent at the other server is archived there.
  await archiveAt("b", await inBucketAt("b"));
  await move(there, "home");
  expect(await settle(caller, [chargeOf(first)])).toMatchObject([{ repeated: true, server: "home" }]);
  const [second] = (await sent(fan, 1)) as [AcceptedGift];
  expect(await placesOfKey(archivedTrades, second.orderId)).toEqual([`home ${archivedTrades.table}`]);
  expect(await balance(fan)).toBe(996);
});

/** A user whose bucket is on a server. */
async function inBucketAt(name: Name): Promise<string> {
  const bucket = newBucket();
  if (name === "b") await move(bucket, "b");
  return funded(bucket);
}

test("statement, records and credits run over the hot and archived rows of both servers, without gap or double", async () => {
  const from = new Date("2019-12-01");
  const [another, elsewhere] = [await inBucketAt("home"), await inBucketAt("b")];
  const bucket = newBucket();
  const fan = await funded(bucket);
  const gifts = await sent(fan, 3);
  await archiveAt("home", another);
  gifts.push(...(await sent(fan, 1)));
  await move(bucket, "b");
  gifts.push(...(await sent(fan, 2)));
  await archiveAt("b", elsewhere);
  gifts.push(...(await sent(fan, 2)));
  const ordersOf = (list: readonly { orderId?: string; bizId?: string }[]) =>
    new Set(list.map(({ orderId, bizId }) => bizId ?? orderId));
  const orders = gifts.map(({ orderId }) => orderId);
  const statement = (limit: number) => (cursor: string | undefined) =>
    call(caller, "wallet.statement", { userId: fan, limit, cursor });
  const rows = await paged(statement(100));
  expect(rows).toHaveLength(9);
  expect(ordersOf(rows)).toEqual(new Set([...orders, `r-${fan}`]));
  expect(new Set(rows.map(({ id }) => serverOfId(id)))).toEqual(new Set([0, 1]));
  for (const limit of [1, 2, 5]) expect(await paged(statement(limit))).toEqual(rows);
  const records = (direction: "sent" | "received", limit: number) => (cursor: string | undefined) =>
    call(caller, "gift.records", { userId: direction === "sent" ? fan : "77", direction, limit, cursor });
  for (const direction of ["sent", "received"] as const) {
    const all = await paged(records(direction, 100));
    expect(new Set(all.map(({ id }) => serverOfId(id)))).toEqual(new Set([0, 1]));
    expect([...ordersOf(all)]).toEqual(expect.arrayContaining(orders));
    if (direction === "sent") expect(all).toHaveLength(8);
    for (const limit of [1, 3]) expect(await paged(records(direction, limit))).toEqual(all);
  }
  expect(await call(caller, "wallet.creditsOf", { orderIds: [`r-${fan}`, `r-${elsewhere}`] })).toEqual({
    list: [
      { orderId: `r-${fan}`, coins: 1_000 },
      { orderId: `r-${elsewhere}`, coins: 1_000 },
    ],
  });
  const credits = await paged((cursor) =>
    call(caller, "wallet.creditsBetween", {
      ...{ from: from.toISOString(), to: new Date(Date.now() + 60_000).toISOString(), cursor },
    }),
  );
  const users = [fan, another, elsewhere].map((user) => `r-${user}`);
  expect(credits.filter(({ orderId }) => users.includes(orderId))).toHaveLength(3);
  expect(await balance(fan)).toBe(992);
  // Of each server: what is archived of a user and what is not are her balance there.
  for (const url of Object.values(both.urls))
    expect(
      await rowsAt(
        url,
        "wallet",
        `SELECT a.user_id FROM t_qiyu_currency_account a
         LEFT JOIN (SELECT user_id, SUM(num) AS num FROM t_qiyu_currency_trade WHERE status = 1 GROUP BY user_id) t USING (user_id)
         LEFT JOIN t_trade_archive_sum s USING (user_id)
         WHERE a.current_balance <> COALESCE(t.num, 0) + COALESCE(s.num, 0)`,
      ),
    ).toEqual([]);
});

describe("the archiver", () => {
  let stackDir: string;
  let setting: string;

  beforeAll(async () => {
    stackDir = mkdtempSync(join(tmpdir(), "ovation-archive-"));
    setting = process.env.WALLET_MYSQL_URLS as string;
    const namespace = config().NAMESPACE;
    const urls = await prepareDatabases({ adminUrl: both.urls.home, namespace, stackDir });
    const own = urls.ARCHIVER_MYSQL_URL as string;
    const named = walletServers() as NonNullable<ReturnType<typeof walletServers>>;
    await grantAtServers(named, { adminUrl: both.urls.home, namespace, urls: new Map([["archiver", own]]) });
    process.env.ARCHIVER_MYSQL_URL = own;
    process.env.ARCHIVE = "on";
    process.env.WALLET_MYSQL_URLS = `home=${both.urls.home},b=mysql://${placesOf(both.urls.b)}`;
    readConfigAgain();
  });
  afterAll(() => {
    delete process.env.ARCHIVER_MYSQL_URL;
    delete process.env.ARCHIVE;
    process.env.WALLET_MYSQL_URLS = setting;
    readConfigAgain();
    rmSync(stackDir, { recursive: true, force: true });
  });

  const startArchiver = (label: string) => {
    const quick = { everyMs: 100, settleMs: 0, sliceRows: 2, rowsPerSecond: 1_000 };
    const settings = { ...(archiver.settings as object), ...quick } as ServiceSchema["settings"];
    return startNode(label, [{ ...archiver, settings }]);
  };

  test("moves the closed months of every server, with its own login on each, and says of each how far it is", async () => {
    const users = { home: await inBucketAt("home"), b: await inBucketAt("b") };
    for (const [name, url] of Object.entries(both.urls)) {
      await sent(users[name as Name], 3);
      for (const { service, table, time } of archivedTables)
        await rowsAt(
          url,
          service,
          `UPDATE ${table} SET ${time} = '2021-01-10 12:00:00.000' + INTERVAL id % 1000 SECOND`,
        );
      await sent(users[name as Name], 1);
    }
    const node = await startArchiver("archiver-1");
    await caller.waitForServices("archiver");
    const { tables } = await eventually(
      "all is archived on both",
      async () => {
        const status = await call(caller, "archiver.status", {});
        return status.tables.every(({ dueSeconds, open }) => dueSeconds === 0 && open === null) ? status : undefined;
      },
      60_000,
    );
    expect(tables.map(({ table, server }) => `${table} ${server}`)).toEqual(
      ["home", "b"].flatMap((name) => archivedTables.map(({ table }) => `${table} ${name}`)),
    );
    for (const { trouble, archivedBelow, server } of tables)
      expect([trouble, serverOfId(archivedBelow)]).toEqual([null, server === "b" ? 1 : 0]);
    for (const [name, url] of Object.entries(both.urls)) {
      const sql = `SELECT COUNT(*) AS n FROM ${archivedTrades.table} WHERE user_id = ?`;
      expect(await rowsAt(url, "wallet", sql, [users[name as Name]])).toEqual([{ n: "1" }]);
    }
    await stopNode(node);
  });

  test("does not start where its setting lacks a server that may have users", async () => {
    delete process.env.WALLET_MYSQL_URLS;
    readConfigAgain();
    await expect(startArchiver("archiver-2")).rejects.toThrow("WALLET_MYSQL_URLS lacks b");
  });
});
