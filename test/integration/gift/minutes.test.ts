import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { addUpMinutes } from "../../../services/gift/minutes-store.ts";
import { setShare } from "../../../services/gift/shares.ts";
import { minuteOf } from "../../../services/last-minutes.ts";
import { eventually } from "../../support/eventually.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What staff looks at of the gift service: gifts by minute from the records, and pages of the anchors' shares. */

jest.setTimeout(60_000);

let caller: ServiceBroker;
let service: GiftState;
let database: Database;

beforeAll(async () => {
  const nodes = [await startNode("gift-1", [gift]), await startNode("gift-2", [gift])];
  caller = await startNode("caller", []);
  for (const { nodeID } of nodes) await waitForNode(caller, "gift", nodeID);
  service = nodes[0]?.getLocalService("gift") as unknown as GiftState;
  // The tests add up themselves.
  for (const node of nodes)
    for (const minutes of (node.getLocalService("gift") as unknown as GiftState).minutes) await minutes.stop();
  database = new Database(databaseName("gift"));
});
afterAll(async () => {
  await database?.close();
  await stopAll();
});

const minuteMs = 60_000;
const row = (settledMs: number, { price = 5, count = 2, status = 1 } = {}) => [
  ...[randomUUID(), 42, 77, 5, 24, count, price, status, "0".repeat(32), new Date(settledMs), new Date(settledMs)],
];
const addRecords = (rows: unknown[][]) =>
  database.run(
    `INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, content_hash,
       send_time, update_time) VALUES ?`,
    [rows],
  );

async function addUpAll(): Promise<void> {
  while (await addUpMinutes(database));
}

async function minutes(): Promise<Map<string, { gifts: number; coins: number }>> {
  const { perMinute } = await call(caller, "gift.figures", {});
  return new Map(perMinute.map(({ minute, ...sums }) => [minute, sums]));
}

beforeEach(async () => {
  for (const table of ["t_gift_minute", "t_gift_minute_position", "t_gift_record"])
    await database.run(`DELETE FROM ${table}`);
});

test("the gifts that succeeded, and their coins, stand in the minute in which they were settled, each once", async () => {
  const now = Date.now();
  const [two, three] = [now - 2 * minuteMs, now - 3 * minuteMs];
  await addRecords([
    row(three),
    row(three, { price: 90, count: 1 }),
    row(three, { status: 0 }),
    row(two, { count: 10 }),
  ]);
  // Any number of nodes at once.
  await Promise.all(Array.from({ length: 5 }, addUpAll));
  await addUpAll();
  const found = await minutes();
  expect(found.size).toBe(limits.metrics.minutesShown);
  expect(found.get(minuteOf(three))).toEqual({ gifts: 2, coins: 100 });
  expect(found.get(minuteOf(two))).toEqual({ gifts: 1, coins: 50 });
  expect(found.get(minuteOf(now - 10 * minuteMs))).toEqual({ gifts: 0, coins: 0 });
  await addRecords([row(two)]);
  await addUpAll();
  expect((await minutes()).get(minuteOf(two))).toEqual({ gifts: 2, coins: 60 });
});

test("a record is added up once those with smaller ids are visible, and not before", async () => {
  const now = Date.now();
  await addRecords([row(now - minuteMs), row(now + minuteMs)]);
  await addUpAll();
  const sum = [...(await minutes()).values()].reduce((all, { gifts }) => all + gifts, 0);
  expect(sum).toBe(1);
});

test("many records are added up bit by bit; what was left for hours is skipped, and old minutes are removed", async () => {
  const now = Date.now();
  const old = now - limits.gift.minutesKeptMs - minuteMs;
  await addRecords([row(old)]);
  await database.run("INSERT INTO t_gift_minute_position (id, next_record) VALUES (1, 1)");
  await database.run("INSERT INTO t_gift_minute (minute, gifts, coins) VALUES (?, 1, 1)", [new Date(minuteOf(old))]);
  await addRecords(Array.from({ length: 1_000 }, (_, n) => row(now - 30 * minuteMs + n)));
  await addUpAll();
  const rows = await database.query<{ minute: Date; gifts: string }>(
    "SELECT minute, gifts FROM t_gift_minute ORDER BY minute",
  );
  expect(rows.reduce((sum, { gifts }) => sum + Number(gifts), 0)).toBe(1_000);
  expect(rows.every(({ minute }) => minute.getTime() > old + minuteMs)).toBe(true);
});

test("adding up reads a range of the primary key", async () => {
  await addRecords(Array.from({ length: 2_000 }, (_, n) => row(Date.now() - minuteMs + n)));
  const plan = await database.query<{ key: string; type: string }>(
    "EXPLAIN SELECT COUNT(*), SUM(price * count) FROM t_gift_record WHERE id >= 1 AND id < 500 AND status = 1 GROUP BY DATE_FORMAT(update_time, '%H:%i')",
  );
  expect(plan).toMatchObject([{ key: "PRIMARY", type: "range" }]);
});

test("shares come page by page, and what is in force is right where a page ends within an anchor's", async () => {
  const anchors = ["9600000000000000001", "9600000000000000002", "9600000000000000003"];
  // A second change of an anchor's share in one millisecond is refused as unavailable.
  const write = (anchorId: string, percent: number | null, from?: Date) =>
    eventually(`a share of ${percent}`, () =>
      setShare(service.mysql, service.bookKeys, { anchorId, percent, from, operator: "staff:ada" }).catch((error) => {
        if (isUnavailable(error)) return undefined;
        throw error;
      }),
    );
  for (const anchor of anchors) {
    await write(anchor, 60);
    await write(anchor, 70);
    await write(anchor, 80, new Date(Date.now() + 3_600_000));
  }
  const pages: { anchorId: string; percent: number | null; inForce: boolean }[][] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: { list: (typeof pages)[number]; nextCursor: string | null } = await call(caller, "gift.shares", {
      ...{ limit: 2, ...(cursor === undefined ? {} : { cursor }) },
    });
    pages.push(page.list);
    cursor = page.nextCursor;
  }
  expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 2, 1]);
  expect(pages.flat().map(({ anchorId, percent, inForce }) => [anchorId, percent, inForce])).toEqual(
    anchors.flatMap((anchor) => [
      [anchor, 60, false],
      [anchor, 70, true],
      [anchor, 80, false],
    ]),
  );
  const { list } = await call(caller, "gift.shares", { anchorId: anchors[1] as string });
  expect(list.map(({ percent }) => percent)).toEqual([60, 70, 80]);
});
