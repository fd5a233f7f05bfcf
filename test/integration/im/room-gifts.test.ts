import type { ServiceBroker } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import {
  connect,
  cutClients,
  livingRoomFake,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "./im-nodes.ts";

let a: ServiceBroker;
let b: ServiceBroker;
let caller: ServiceBroker;

beforeAll(async () => {
  const router = await startRouter("router-1", livingRoomFake);
  // Without maintenance a frame that was not delivered is not fetched later.
  [a, b] = [
    await startImServer("im-a", { watchFlushMs: 60_000 }),
    await startImServer("im-b", { watchFlushMs: 60_000 }),
  ];
  await seeing(router, { "im-server": 2 });
  caller = await startNode("caller", []);
  await seeing(caller, { "im-router": 1, "im-server": 2 });
  await Promise.all([a, b].map((node) => seeing(node, { "im-router": 1, "living-room": 1 })));
});
afterAll(async () => {
  cutClients();
  await stopAll();
});

interface SeenGift {
  orderIds: string[];
  count: number;
}

const gift = (orderId: string, count: number, senderId = "5") => ({
  orderId,
  senderId,
  receiverId: "1",
  giftId: 3,
  count,
  price: 10,
  url: "/gift/3.svga",
});

function send(roomId: number, gifts: ReturnType<typeof gift>[]): Promise<null> {
  return call(caller, "im-router.roomGifts", { bucket: routerBucketOf(roomId), rooms: [{ roomId, gifts }] });
}

/** What a viewer counts: each order id once, as its entry's count divided by the entry's orders. */
function counted(client: TestClient): { total: number; orders: number } {
  const shares = new Map<string, number>();
  for (const { data } of client.business(5556))
    for (const { orderIds, count } of data.gifts as SeenGift[])
      for (const id of orderIds) {
        const share = count / orderIds.length;
        if (shares.has(id) && shares.get(id) !== share) throw new Error(`two counts of ${id}`);
        shares.set(id, share);
      }
  return { total: [...shares.values()].reduce((sum, share) => sum + share, 0), orders: shares.size };
}

const seqs = (client: TestClient) => client.business().map(({ data }) => Number(data.seq));

/** Sends until it is taken, as a caller with a durable queue would. */
async function sendSurely(roomId: number, gifts: ReturnType<typeof gift>[]): Promise<number> {
  for (let failures = 0; ; failures++) {
    try {
      await send(roomId, gifts);
      return failures;
    } catch (error) {
      if (!isUnavailable(error) || failures > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test("gifts of a tick are one frame, alike ones merged, on every node with members", async () => {
  const clients = [await connect(a, "1", 1), await connect(b, "5", 1)];
  // After a tick the next one gathers for a tenth of a second, and not for the short while of one after a pause.
  await send(1, [gift("o0", 1)]);
  await Promise.all([send(1, [gift("o1", 2)]), send(1, [gift("o2", 2), gift("o3", 7)]), send(1, [gift("o4", 2, "6")])]);
  for (const client of clients) {
    await eventually("the frame", () => client.business().length > 1);
    expect(client.business()).toHaveLength(2);
    const { data, bizCode, userId } = client.business()[1] as (typeof client.frames)[0]["body"];
    expect([bizCode, userId, data.roomId, data.seq]).toEqual([5556, "0", 1, 2]);
    const { orderId: _o, ...fields } = gift("", 0);
    expect(data.gifts).toEqual(
      expect.arrayContaining([
        { ...fields, orderIds: ["o1", "o2"], count: 4 },
        { ...fields, orderIds: ["o3"], count: 7 },
        { ...fields, senderId: "6", orderIds: ["o4"], count: 2 },
      ]),
    );
  }
});

test("5,000 gifts of parallel callers add up on every viewer, and frames come in order without a gap", async () => {
  const viewers = [await connect(a, "21", 3), await connect(b, "22", 3), await connect(b, "23", 3)];
  let total = 0;
  const batches = Array.from({ length: 100 }, (_, batch) =>
    Array.from({ length: 50 }, (_, i) => {
      const count = 1 + ((batch * 50 + i) % 99);
      total += count;
      return gift(`g${batch}-${i}`, count, String(100 + (i % 20)));
    }),
  );
  await Promise.all(batches.map((gifts, i) => (i % 10 === 0 ? send(3, [...gifts, ...gifts]) : send(3, gifts))));
  for (const viewer of viewers) {
    await eventually("all gifts", () => counted(viewer).orders === 5_000);
    expect(counted(viewer).total).toBe(total);
    expect(seqs(viewer)).toEqual(seqs(viewer).map((_, i) => i + 1));
    for (const { data } of viewer.business(5556))
      expect((data.gifts as SeenGift[]).flatMap(({ orderIds }) => orderIds).length).toBeLessThanOrEqual(500);
  }
});

test("routers come and go while gifts fly: nothing is lost and the order stays", async () => {
  const viewers = [await connect(a, "31", 4), await connect(b, "32", 4)];
  let sending = true;
  let orders = 0;
  let total = 0;
  const callers = Array.from({ length: 6 }, async (_, caller) => {
    for (let i = 0; sending; i++) {
      const gifts = Array.from({ length: 10 }, (_, k) => gift(`r${caller}-${i}-${k}`, 1 + (k % 4)));
      await sendSurely(4, gifts);
      orders += gifts.length;
      total += gifts.reduce((sum, { count }) => sum + count, 0);
    }
  });
  const router2 = await startRouter("router-2");
  const router3 = await startRouter("router-3");
  await Promise.all([router2, router3].map((router) => seeing(router, { "im-server": 2 })));
  await seeing(caller, { "im-router": 3 });
  await stopNode(router2);
  await seeing(caller, { "im-router": 2 });
  await stopNode(router3);
  await seeing(caller, { "im-router": 1 });
  sending = false;
  await Promise.all(callers);
  expect(orders).toBeGreaterThan(100);
  for (const viewer of viewers) {
    await eventually("all gifts", () => counted(viewer).orders === orders);
    expect(counted(viewer).total).toBe(total);
    expect(seqs(viewer)).toEqual(seqs(viewer).map((_, i) => i + 1));
  }
});
