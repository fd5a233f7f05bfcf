import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { config, readConfigAgain } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { prepareDatabases } from "../../../scripts/databases.ts";
import { archivedRecords, archivedTrades } from "../../../services/archived-tables.ts";
import archiver from "../../../services/archiver/archiver.service.ts";
import { call } from "../../../services/contracts.ts";
import { asRoot, closeArchives, segmentsOf } from "../../support/archive.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { giftOf, settle, startWallet } from "../wallet/traffic.ts";

/** With the logins that the services have, each with the rights of its job. */

const { table, archive } = archivedTrades;
const quick = { everyMs: 100, settleMs: 0, sliceRows: 2, rowsPerSecond: 1_000 };
let stackDir: string;
let caller: ServiceBroker;
let urls: Record<string, string>;
let children: Child[] = [];

beforeAll(async () => {
  stackDir = mkdtempSync(join(tmpdir(), "ovation-archive-"));
  urls = await prepareDatabases({ adminUrl: config().MYSQL_URL, namespace: config().NAMESPACE, stackDir });
  process.env.ARCHIVE = "on";
  Object.assign(process.env, { ARCHIVER_MYSQL_URL: urls.ARCHIVER_MYSQL_URL, WALLET_MYSQL_URL: urls.WALLET_MYSQL_URL });
  readConfigAgain();
  await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
});
afterEach(async () => {
  for (const child of children) process.kill(child.pid as number, "SIGKILL");
  await Promise.all(children.map(({ exited }) => exited));
  children = [];
  await expectBooksBalanced();
});
afterAll(async () => {
  delete process.env.ARCHIVE;
  delete process.env.ARCHIVER_MYSQL_URL;
  delete process.env.WALLET_MYSQL_URL;
  readConfigAgain();
  await closeArchives();
  rmSync(stackDir, { recursive: true, force: true });
  await stopAll();
});

async function startArchiver(label: string, over: object = quick): Promise<ServiceBroker> {
  const settings = { ...(archiver.settings as object), ...over } as ServiceSchema["settings"];
  const node = await startNode(label, [{ ...archiver, settings }]);
  await waitForNode(caller, "archiver", node.nodeID);
  return node;
}

let next = 1_000;
const newUser = () => String(9_900_000_000_000_000_000n + BigInt(next++));

/** Gifts of a user, all of a month that is closed; a newer trade stays in the ledger. */
async function oldGifts(count: number, month: string): Promise<{ fan: string; orderId: string }> {
  const fan = newUser();
  await recharge(caller, `order-${fan}`, fan, 10_000);
  const gifts = Array.from({ length: count }, () => giftOf(fan, { price: 1 }));
  await settle(caller, gifts);
  await asRoot("wallet", `UPDATE ${table} SET create_time = '${month}-10 12:00:00.000' + INTERVAL id % 1000 SECOND`);
  await recharge(caller, `later-${fan}`, fan, 1);
  return { fan, orderId: gifts[0]?.orderId as string };
}

const hotOf = async (userId: string) =>
  Number((await rows<{ n: string }>("wallet", `SELECT COUNT(*) AS n FROM ${table} WHERE user_id = ?`, [userId]))[0]?.n);
const isArchived = (fan: string) =>
  eventually(`the trades of ${fan} are archived`, async () => (await hotOf(fan)) === 1, 30_000);

test("an archiver moves closed months by itself, with its own login, and tells how far it is", async () => {
  const { fan, orderId } = await oldGifts(7, "2020-01");
  const node = await startArchiver("archiver-1");
  await isArchived(fan);
  const closed = await eventually("the segment is closed", async () => {
    const status = await call(caller, "archiver.status", {});
    return status.tables[0]?.segments.closed === 1 ? status : undefined;
  });
  expect(closed).toMatchObject({
    ...{ on: true, afterDays: 10, zone: "Asia/Shanghai" },
    tables: [
      {
        table,
        segments: { planned: 0, filtered: 0, emptying: 0, closed: 1 },
        open: null,
        dueSeconds: 0,
        trouble: null,
      },
      { table: archivedRecords.table, archivedBelow: "0", oldestMonth: null, dueSeconds: 0 },
    ],
  });
  // The wallet's login may read the archive and lock the revision, and no more.
  expect(await settle(caller, [giftOf(fan, { orderId, price: 1 })])).toMatchObject([
    { status: "succeeded", repeated: true },
  ]);
  await eventually("it is ready", async () => {
    const report = (await caller.call("archiver.health")) as Record<string, unknown>;
    return report.mysql === true && report.archive === true;
  });
  await stopNode(node);
});

test("of two nodes one moves at a time, and the other goes on when it stops", async () => {
  const slow = { ...quick, sliceRows: 1, rowsPerSecond: 20 };
  const first = await startArchiver("archiver-1", slow);
  const { fan } = await oldGifts(30, "2020-02");
  await call(caller, "archiver.run", {});
  await eventually("some are moved", async () => (await hotOf(fan)) < 25, 30_000);
  const second = await startArchiver("archiver-2");
  await stopNode(first);
  await isArchived(fan);
  await stopNode(second);
});

test.each(["filtered", "emptying"] as const)(
  "a process that is killed while a segment is %s is followed by another, and no trade is lost or doubled",
  async (state) => {
    const month = state === "filtered" ? "2020-03" : "2020-04";
    const { fan } = await oldGifts(20, month);
    const settings = { ...quick, sliceRows: 1, rowsPerSecond: 20, settleMs: state === "filtered" ? 60_000 : 0 };
    const child = await inProcess(settings);
    await eventually(
      `a segment is ${state}`,
      async () => {
        const last = (await segmentsOf(archivedTrades)).at(-1);
        return last?.month === month && last.state === state && (state === "filtered" || last.movedTo > last.from + 3n);
      },
      30_000,
    );
    process.kill(child.pid as number, "SIGKILL");
    await child.exited;
    children = [];
    // The lease of the dead one is over when the test says so.
    await asRoot("archiver", "UPDATE t_lease SET until_time = UTC_TIMESTAMP(3)");
    const node = await startArchiver("archiver-1");
    await isArchived(fan);
    const all = await rows<{ n: string; ids: string }>(
      "wallet",
      `SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM (SELECT id, user_id FROM ${table}
         UNION ALL SELECT id, user_id FROM ${archive}) a WHERE user_id = ?`,
      [fan],
    );
    expect(all).toEqual([{ n: "22", ids: "22" }]);
    await stopNode(node);
  },
  90_000,
);

async function inProcess(settings: object): Promise<Child> {
  const child = startChild({
    name: "archiver",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "archiver", JSON.stringify(settings)],
    cwd: projectRoot(),
    env: { ARCHIVER_MYSQL_URL: urls.ARCHIVER_MYSQL_URL, NODE_LABEL: "killed" },
    output: { prefix: "archiver|" },
    ready: /^ready (\{.*\})$/,
  });
  children.push(child);
  await child.ready;
  return child;
}

test("unless ARCHIVE is on nothing is moved, and nobody can have it moved", async () => {
  delete process.env.ARCHIVE;
  readConfigAgain();
  const { fan } = await oldGifts(3, "2020-05");
  const node = await startArchiver("archiver-1");
  expect(await call(caller, "archiver.run", {}).then(() => "asked", failureName)).toBe("notFound");
  const status = await call(caller, "archiver.status", {});
  expect([status.on, await hotOf(fan)]).toEqual([false, 5]);
  // An archiver that works writes the segment of a due month at once.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await segmentsOf(archivedTrades)).map(({ month }) => month)).not.toContain("2020-05");
  await stopNode(node);
  process.env.ARCHIVE = "on";
  readConfigAgain();
});
