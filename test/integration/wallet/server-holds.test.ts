import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import type { AffectedIncome } from "../../../services/wallet/income.contract.ts";
import { storeBucketOf } from "../../../services/wallet-buckets.ts";
import { serverOfId } from "../../../services/wallet-servers.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { giftOf, settle, startWallet, walletOn } from "./traffic.ts";

/** Refunds whose credit, gifts and anchors are on several servers. A payer's entries are read two at a time. */

jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, wallet: { ...limits.wallet, attributionPageRows: 2 } } };
});
jest.setTimeout(180_000);

let both: SecondServer;
let caller: ServiceBroker;
let node: ServiceBroker;
const operator = "tests";

beforeAll(async () => {
  both = await addSecondServer();
  node = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", node.nodeID);
});
afterAll(async () => {
  await stopAll();
  await both?.close();
});
afterEach(() => jest.restoreAllMocks());

/** A new bucket of the tests, empty so far. */
let bucketsUsed = 0;
const newBucket = () => ++bucketsUsed;

async function movesDone(): Promise<boolean> {
  return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
}

async function moved(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator })).toEqual({ planned: true });
  await eventually(`bucket ${bucket} is at ${server}`, movesDone, 30_000);
}

async function anchorAt(server: "home" | "b"): Promise<string> {
  const bucket = newBucket();
  if (server === "b") await moved(bucket, "b");
  return usersOf(bucket, 1)[0] as string;
}

async function give(payer: string, receiverId: string, price: number): Promise<string> {
  const gift = giftOf(payer, { receiverId, price });
  expect((await settle(caller, [gift]))[0]).toMatchObject({ status: "succeeded" });
  return gift.orderId;
}

async function refund(orderId: string, userId: string, coins: number): Promise<void> {
  const message = { orderId, userId, coins, amount: coins * 10, reason: "r", time: new Date().toISOString() };
  await publish("pay.refund", message, `pay.refund:${orderId}`);
  await eventually(
    `the refund of ${orderId}`,
    async () => {
      const { list } = await call(caller, "wallet.refundsOf", { orderIds: [orderId] });
      return list.length === 1;
    },
    30_000,
  );
}

const affected = (orderId: string, limit = 100, cursor?: string) =>
  call(caller, "wallet.affectedGifts", { orderId, limit, cursor, operator });
const hold = (orderId: string, moveId = randomUUID()) =>
  call(caller, "wallet.holdIncome", { orderId, moveId, reason: "chargeback", operator });
const release = (orderId: string, moveId = randomUUID()) =>
  call(caller, "wallet.releaseHold", { orderId, moveId, reason: "cleared", operator });
const failureOf = (promise: Promise<unknown>) => promise.then(() => "none", failureName);
const states = ({ anchors }: AffectedIncome) => Object.fromEntries(anchors.map((one) => [one.anchorId, one.state]));

/** The holds and releases of an order: server, business id. */
async function postings(orderId: string): Promise<string[]> {
  const sql = "SELECT biz_id FROM t_income_posting WHERE order_id = ? ORDER BY biz_id";
  const all = await Promise.all(
    Object.entries(both.urls).map(async ([name, url]) =>
      (await rowsAt<{ biz_id: string }>(url, "wallet", sql, [orderId])).map(({ biz_id }) => `${name} ${biz_id}`),
    ),
  );
  return all.flat().sort();
}

/** A payer whose 100 coins came at home, and went to two anchors, at home and then, after a move, on b. */
async function scene() {
  const bucket = newBucket();
  const [payer] = usersOf(bucket, 1) as [string];
  const [atHome, atB] = [await anchorAt("home"), await anchorAt("b")];
  const order = `order-${payer}`;
  await recharge(caller, order, payer, 100);
  const gifts = [await give(payer, atHome, 20), await give(payer, atB, 10)];
  await moved(bucket, "b");
  gifts.push(await give(payer, atHome, 30), await give(payer, atB, 15));
  return { bucket, payer, atHome, atB, order, gifts };
}

describe("a refund whose credit is on another server", () => {
  test("is attributed to gifts on both, the newest first and page by page", async () => {
    const { payer, atHome, atB, order, gifts } = await scene();
    await refund(order, payer, 100);
    const all = await affected(order);
    expect(all).toMatchObject({ taken: 25, shortfall: 75, owing: 75, uncovered: 0 });
    expect(all.gifts.map(({ orderId }) => orderId)).toEqual(gifts.toReversed());
    expect(all.anchors.map(({ anchorId, coins }) => [anchorId, coins])).toEqual([
      [atHome, 50],
      [atB, 25],
    ]);
    const paged: string[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page: Awaited<ReturnType<typeof affected>> = await affected(order, 1, cursor || undefined);
      paged.push(...page.gifts.map(({ orderId }) => orderId));
      cursor = page.nextCursor ?? undefined;
    }
    expect(paged).toEqual(gifts.toReversed());
    expect(await failureOf(affected(order, 1, "12345"))).toBe("invalidParam");
    for (const gift of gifts) {
      const { refundedWith } = await call(caller, "wallet.orderStory", { orderId: gift });
      expect(refundedWith).toMatchObject([{ orderId: order, state: "open" }]);
    }
  });

  test("claims no coin that an earlier one, of the server before, has claimed", async () => {
    const { bucket, payer, order, gifts } = await scene();
    await recharge(caller, `second-${payer}`, payer, 50);
    await refund(order, payer, 100);
    await moved(bucket, "home");
    await refund(`second-${payer}`, payer, 50);
    const [first, second] = [await affected(order), await affected(`second-${payer}`)];
    const coins = (one: typeof first) => one.gifts.map(({ orderId, coins: part }) => [orderId, part]);
    const claimed = [...coins(first), ...coins(second)];
    const sums = Map.groupBy(claimed, ([gift]) => gift);
    const sumOf = (gift: string) => (sums.get(gift) ?? []).reduce((sum, [, part]) => sum + Number(part), 0);
    expect(gifts.map(sumOf)).toEqual([20, 10, 30, 15]);
    expect([first.shortfall, second.shortfall]).toEqual([25, 50]);
  });

  test("is attributed to each gift once, the oldest too, where the other server has many pages of them", async () => {
    const bucket = newBucket();
    const [payer] = usersOf(bucket, 1) as [string];
    const anchor = await anchorAt("home");
    await recharge(caller, `earlier-${payer}`, payer, 20);
    await recharge(caller, `order-${payer}`, payer, 60);
    const gifts: string[] = [];
    for (let gift = 0; gift < 5; gift++) gifts.push(await give(payer, anchor, 16));
    await refund(`earlier-${payer}`, payer, 20);
    await moved(bucket, "b");
    await refund(`order-${payer}`, payer, 60);
    const { gifts: found, ...all } = await affected(`order-${payer}`);
    expect(all).toMatchObject({ taken: 0, shortfall: 60, uncovered: 0, anchors: [{ anchorId: anchor, gifts: 4 }] });
    // The earlier refund has the newest gift and 4 coins of the one before.
    const rest = [12, 16, 16, 16];
    expect(found.map(({ orderId, coins }) => [orderId, coins])).toEqual(
      gifts
        .toReversed()
        .slice(1)
        .map((orderId, at) => [orderId, rest[at]]),
    );
  });

  test("has no gifts where it came before its credit", async () => {
    const bucket = newBucket();
    const [payer] = usersOf(bucket, 1) as [string];
    await recharge(caller, `first-${payer}`, payer, 40);
    await give(payer, await anchorAt("home"), 40);
    await refund(`late-${payer}`, payer, 30);
    await moved(bucket, "b");
    await publish("pay.recharge", rechargeMessage(`late-${payer}`, payer, 30), `late:${payer}`);
    await eventually(
      "the debt is paid off",
      async () => (await call(caller, "wallet.balance", { userId: payer })).debt === 0,
      30_000,
    );
    expect(await affected(`late-${payer}`)).toMatchObject({ shortfall: 0, owing: 0, gifts: [] });
  });
});

describe("holds of its shares", () => {
  test("are each on the server of their anchor, once, and releases where the holds are, also after a move", async () => {
    const { payer, atHome, atB, order } = await scene();
    await refund(order, payer, 100);
    const moveId = randomUUID();
    expect(states(await hold(order, moveId))).toEqual({ [atHome]: "held", [atB]: "held" });
    const held = [`b hold:${order}:${atB}`, `home hold:${order}:${atHome}`];
    expect(await postings(order)).toEqual(held);
    await moved(storeBucketOf(atHome), "b");
    await moved(storeBucketOf(atB), "home");
    expect(states(await hold(order))).toEqual({ [atHome]: "held", [atB]: "held" });
    expect(await postings(order)).toEqual(held);
    const income = await call(caller, "wallet.income", { userId: atHome });
    expect(income).toMatchObject({ heldBackPoints: 2_500 });
    expect(states(await release(order))).toEqual({ [atHome]: "released", [atB]: "released" });
    const released = [`b release:${order}:${atB}`, `home release:${order}:${atHome}`];
    expect(await postings(order)).toEqual([...held, ...released].sort());
    // The move of staff that held them is repeated, which nobody else may do.
    expect(states(await hold(order, moveId))).toEqual({ [atHome]: "released", [atB]: "released" });
    expect(await failureOf(hold(order))).toBe("holdState");
    expect(await call(caller, "wallet.income", { userId: atHome })).toMatchObject({ heldBackPoints: 0 });
    const sql = "SELECT id FROM t_income_hold_gift WHERE hold_biz_id LIKE ?";
    const rows = await rowsAt<{ id: string }>(both.urls.b, "wallet", sql, [`hold:${order}:%`]);
    expect(rows.map(({ id }) => serverOfId(id))).toEqual([1, 1]);
    const events = "SELECT id FROM t_outbox WHERE order_key = ?";
    expect(await rowsAt(both.urls.b, "wallet", events, [`user:${atB}`])).toHaveLength(2);
  });

  test.each(["held", "released"] as const)(
    "that ended between two servers are %s by a repeat, each once",
    async (to) => {
      const { payer, atHome, atB, order } = await scene();
      await refund(order, payer, 100);
      if (to === "released") await hold(order);
      const act = to === "held" ? hold : release;
      const { outbox } = walletOn(node).servers.named("b").view;
      jest.spyOn(outbox, "addAll").mockRejectedValueOnce(new Error("the node ends here"));
      const moveId = randomUUID();
      expect(await failureOf(act(order, moveId))).not.toBe("none");
      const before = to === "held" ? "open" : "held";
      expect(states(await affected(order))).toEqual({ [atHome]: to, [atB]: before });
      await moved(storeBucketOf(atHome), "b");
      expect(states(await act(order, moveId))).toEqual({ [atHome]: to, [atB]: to });
      const all = await postings(order);
      expect(new Set(all).size).toBe(to === "held" ? 2 : 4);
      expect(states(await act(order, moveId))).toEqual({ [atHome]: to, [atB]: to });
      expect(await postings(order)).toEqual(all);
    },
  );

  test.each(["home", "b"] as const)(
    "a release that is repeated releases nothing that was held on %s since",
    async (server) => {
      const { payer, atHome, atB, order } = await scene();
      await refund(order, payer, 100);
      const [about, moveId] = [{ orderId: order, reason: "r", operator }, randomUUID()];
      await call(caller, "wallet.holdIncome", { ...about, anchorId: atHome });
      if (server === "home") await moved(storeBucketOf(atB), "home");
      expect(states(await release(order, moveId))).toEqual({ [atHome]: "released", [atB]: "open" });
      await call(caller, "wallet.holdIncome", { ...about, anchorId: atB });
      expect(states(await release(order, moveId))).toEqual({ [atHome]: "released", [atB]: "held" });
      expect(states(await release(order))).toEqual({ [atHome]: "released", [atB]: "released" });
    },
  );

  test.each(["home", "b"] as const)(
    "a release that ended before its part on %s releases what was held when it began",
    async (server) => {
      const { payer, atHome, atB, order } = await scene();
      const later = await anchorAt("b");
      await give(payer, later, 5);
      await refund(order, payer, 100);
      const [about, moveId] = [{ orderId: order, reason: "r", operator }, randomUUID()];
      await call(caller, "wallet.holdIncome", { ...about, anchorIds: [atHome, atB] });
      const { outbox } = walletOn(node).servers.named(server).view;
      jest.spyOn(outbox, "addAll").mockRejectedValueOnce(new Error("the node ends here"));
      expect(await failureOf(release(order, moveId))).not.toBe("none");
      await call(caller, "wallet.holdIncome", { ...about, anchorId: later });
      const released = { [atHome]: "released", [atB]: "released", [later]: "held" };
      expect(states(await release(order, moveId))).toEqual(released);
      expect(states(await release(order, moveId))).toEqual(released);
    },
  );

  test("a release that was carried out while there was one server is done", async () => {
    const { payer, atHome, atB, order } = await scene();
    await refund(order, payer, 100);
    await hold(order);
    const moveId = randomUUID();
    await walletOn(node).servers.all[0].view.mysql.run(
      "INSERT INTO t_wallet_carried_out (move_id, order_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))",
      [moveId, order],
    );
    expect(states(await release(order, moveId))).toEqual({ [atHome]: "held", [atB]: "held" });
  });

  test("are on the server to which the anchor's bucket moved after it was looked up", async () => {
    const { payer, atHome, order } = await scene();
    await refund(order, payer, 100);
    const { servers } = walletOn(node);
    const real = servers.each.bind(servers) as typeof servers.each;
    let asked = 0;
    // The second question is for the order's holds, and comes after the map was looked at.
    jest.spyOn(servers, "each").mockImplementation(async (ask) => {
      const answers = await real(ask);
      if (++asked === 2) await moved(storeBucketOf(atHome), "b");
      return answers as never;
    });
    await call(caller, "wallet.holdIncome", { orderId: order, anchorId: atHome, reason: "r", operator });
    expect(await postings(order)).toEqual([`b hold:${order}:${atHome}`]);
  });

  test("at the same moment, and while anchors' buckets move, are each one", async () => {
    const { payer, atHome, atB, order } = await scene();
    await refund(order, payer, 100);
    for (const [anchor, server] of [
      [atHome, "b"],
      [atB, "home"],
    ] as const)
      expect(await call(caller, "wallet.moveBucket", { bucket: storeBucketOf(anchor), server, operator })).toEqual({
        planned: true,
      });
    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => hold(order)));
    await eventually("the moves are done", movesDone, 30_000);
    for (const answer of answers)
      if (answer.status === "rejected") expect(failureName(answer.reason)).toBe("unavailable");
    expect(states(await hold(order))).toEqual({ [atHome]: "held", [atB]: "held" });
    expect((await postings(order)).map((one) => one.split(" ")[1]).sort()).toEqual(
      [`hold:${order}:${atHome}`, `hold:${order}:${atB}`].sort(),
    );
    expect(limits.wallet.storeBuckets).toBeGreaterThan(bucketsUsed);
  });
});
