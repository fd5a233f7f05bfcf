import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import type { Database, Queryable } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import type { GiftRecord, RecordedGift } from "../../../services/gift/gift.contract.ts";
import gift from "../../../services/gift/gift.service.ts";
import { readRecords } from "../../../services/gift/gift-store.ts";
import type { RecordServers } from "../../../services/gift/record-servers.ts";
import { serverOfId } from "../../../services/wallet-servers.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { groupOf } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { startWallet } from "../wallet/traffic.ts";

// The second server takes a while to start.
jest.setTimeout(120_000);

const router = { name: "im-router", actions: { roomGifts: () => null } } as unknown as ServiceSchema;
const [home, away] = [3, 4];
const anchor = "77";
const usersOfPlan = usersOf(1, 2);

let both: SecondServer;
let caller: ServiceBroker;
let node: ServiceBroker;
const began = new Date();

beforeAll(async () => {
  both = await addSecondServer();
  await startNode("router", [router]);
  const wallet = await startWallet("wallet-1");
  node = await startNode("gift-1", [gift]);
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", wallet.nodeID);
  await waitForNode(caller, "gift", node.nodeID);
  await waitForNode(wallet, "gift", node.nodeID);
  await moveAway(away, "b");
});
afterAll(async () => {
  await stopAll();
  await both?.close();
});

async function moveAway(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
  await eventually(`bucket ${bucket} at ${server}`, async () => {
    return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
  });
}

function accepted(senderId: string, count = 1): AcceptedGift {
  const request = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count };
  const about = { orderId: randomUUID(), senderId, price: 1, sharePercent: 50, url: "" };
  return { ...request, ...about, contentHash: contentHashOf(request), acceptedAt: new Date().toISOString() };
}

/** Puts gifts into the queue and waits until all of them are settled. */
async function sent(gifts: readonly AcceptedGift[]): Promise<void> {
  for (const [partition, own] of Map.groupBy(gifts, ({ senderId }) => partitionOf(senderId)))
    await publish(`gift.send.${partition}`, groupOf(own));
  await eventually("all are settled", async () => {
    const known = await Promise.all(gifts.map(({ orderId }) => findOrder(orderId).catch(() => undefined)));
    return known.every((one) => one?.status === "succeeded");
  });
}

const findOrder = (orderId: string) => call(caller, "gift.orderForPlatform", { orderId });

async function funded(bucket: number, count: number): Promise<string[]> {
  const users = usersOf(bucket, count);
  await Promise.all(users.map((user) => recharge(caller, `r-${user}`, user, 1_000)));
  return users;
}

/** All pages of a list of `limit` rows. */
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

test("a record is on the server of its charge, whatever server its batch has others of; also of a gift that is delivered again after a move", async () => {
  const users = [...(await funded(home, 2)), ...(await funded(away, 2))];
  const gifts = users.map((user) => accepted(user));
  await sent(gifts);
  const [moved] = (await funded(away + 1, 1)) as [string];
  const before = accepted(moved);
  await sent([before]);
  await moveAway(away + 1, "b");
  await publish(`gift.send.${partitionOf(moved)}`, groupOf([before]));
  await sent([accepted(moved)]);
  for (const url of Object.values(both.urls)) {
    const apart = await rowsAt(
      url,
      "wallet",
      `SELECT t.biz_id FROM t_qiyu_currency_trade t LEFT JOIN ${databaseName("gift")}.t_gift_record r ON r.order_id = t.biz_id
       WHERE t.type = 0 AND r.id IS NULL
       UNION ALL SELECT r.order_id FROM ${databaseName("gift")}.t_gift_record r LEFT JOIN t_qiyu_currency_trade t
         ON t.biz_id = r.order_id WHERE t.id IS NULL`,
    );
    expect(apart).toEqual([]);
  }
  const counts = await Promise.all(
    Object.values(both.urls).map(async (url) => (await rowsAt(url, "gift", "SELECT id FROM t_gift_record")).length),
  );
  expect(counts).toEqual([3, 3]);
});

test("lists of sent and received gifts run over both servers, newest first, page by page", async () => {
  const [fan] = (await funded(away + 2, 1)) as [string];
  const others = await funded(home, 1);
  for (let n = 0; n < 3; n++) await sent([accepted(fan), ...others.map((user) => accepted(user))]);
  await moveAway(away + 2, "b");
  for (let n = 0; n < 3; n++) await sent([accepted(fan), ...others.map((user) => accepted(user))]);
  for (const direction of ["sent", "received"] as const) {
    const userId = direction === "sent" ? fan : anchor;
    const page = (limit: number) => (cursor: string | undefined) =>
      call(caller, "gift.records", { userId, direction, limit, cursor });
    const all = await paged<GiftRecord>(page(100));
    const [times, servers] = [all.map(({ time }) => time), new Set(all.map(({ id }) => serverOfId(id)))];
    expect(times).toEqual(times.toSorted().reverse());
    expect(servers).toEqual(new Set([0, 1]));
    if (direction === "sent") expect(all).toHaveLength(6);
    expect(await paged<GiftRecord>(page(1))).toEqual(all);
    expect(await paged<GiftRecord>(page(2))).toEqual(all);
  }
});

test("what was settled since a time, and the totals of a side, are those of both servers", async () => {
  const [[first], [second]] = [await funded(home, 1), await funded(away, 1)];
  const from = new Date();
  const gifts = [accepted(first as string, 3), accepted(second as string, 5)];
  await sent(gifts);
  const until = new Date(Date.now() + 1_000);
  const all: RecordedGift[] = [];
  let cursor: string | undefined;
  let end: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof call<"gift.settledSince">>> = await call(caller, "gift.settledSince", {
      ...{ since: began.toISOString(), cursor, until: end },
    });
    all.push(...page.gifts);
    [cursor, end] = [page.nextCursor ?? undefined, page.until];
  } while (cursor !== undefined);
  expect(all.map(({ orderId }) => orderId)).toEqual(expect.arrayContaining(gifts.map(({ orderId }) => orderId)));
  expect(new Set(all.map(({ recordId }) => recordId)).size).toBe(all.length);
  expect(new Set(all.map(({ recordId }) => serverOfId(recordId as string)))).toEqual(new Set([0, 1]));
  expect(all.every(({ url }) => url !== "")).toBe(true);
  const times = { from: from.toISOString(), until: until.toISOString() };
  const { sides } = await call(caller, "gift.totals", { sides: [{ roomId: 5, receiverId: anchor }], ...times });
  expect(sides).toEqual([
    {
      ...{ score: 8, gifts: 2 },
      topSenders: [
        { userId: second, coins: 5 },
        { userId: first, coins: 3 },
      ],
    },
  ]);
});

test("a server that the setting of a node lacks is an outage: a gift that was charged there is tried again", async () => {
  const { records } = node.getLocalService("gift") as unknown as { records: RecordServers };
  const written = records.at("c", () => Promise.resolve());
  expect(isUnavailable(await written.catch((error: unknown) => error))).toBe(true);
});

test("a page of sent gifts on several servers sorts nothing, however many a user has sent", async () => {
  const rows = Array.from({ length: 6_000 }, (_, n) => [
    ...[`plan-${n}`, usersOfPlan[n % usersOfPlan.length], anchor, 5, 24, 1, 1, 1, "h", new Date(began.getTime() + n)],
  ]);
  const { mysql } = node.getLocalService("gift") as unknown as { mysql: Database };
  await mysql.run(
    "INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, content_hash, send_time) VALUES ?",
    [rows],
  );
  await mysql.query("ANALYZE TABLE t_gift_record");
  const extras: string[] = [];
  const explained: Queryable = {
    async query<Row extends object>(sql: string, values: unknown[] = []) {
      for (const { Extra: extra } of await mysql.query<{ Extra: string | null }>(`EXPLAIN ${sql}`, values))
        extras.push(extra ?? "");
      return mysql.query<Row>(sql, values);
    },
    run: (sql, values) => mysql.run(sql, values),
  };
  const asked = { userId: usersOfPlan[0] as string, direction: "sent", limit: 20 } as const;
  const [all, now] = [{ ...asked, limit: 3_000 }, new Date(Date.now() + 60_000)];
  const rowsOf = async (about: Parameters<typeof readRecords>[1]) =>
    (await readRecords(explained, about)).map(({ record }) => record.orderId);
  expect(await rowsOf(all)).toHaveLength(3_000);
  const elsewhere = { sent: now, settled: now, end: 10n ** 13n };
  expect(await rowsOf({ ...asked, cursor: String(10n ** 14n + 5n), elsewhere })).toEqual(
    (await rowsOf(all)).slice(0, 21),
  );
  expect(extras.length).toBeGreaterThan(2);
  expect(extras.filter((extra) => extra.includes("filesort"))).toEqual([]);
});
