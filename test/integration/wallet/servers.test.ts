import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { failureName, isUnavailable } from "../../../broker/failure.ts";
import { config } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { placesOf, withLogin } from "../../../config/server-urls.ts";
import { idleTransaction } from "../../../mixins/mysql/session-settings.ts";
import { addServers } from "../../../scripts/add-servers.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { grantLogins } from "../../../scripts/databases.ts";
import { grantAtServers } from "../../../scripts/grant-at-servers.ts";
import { call } from "../../../services/contracts.ts";
import type { MoveStep } from "../../../services/wallet/buckets/move-state.ts";
import type { GiftCharge, GiftOutcome, StatementRow } from "../../../services/wallet/wallet.contract.ts";
import { storeBucketOf } from "../../../services/wallet-buckets.ts";
import { serverOfId, walletServers } from "../../../services/wallet-servers.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { giftOf, settle, startWallet, walletOn } from "./traffic.ts";

jest.setTimeout(180_000);

let both: SecondServer;
let caller: ServiceBroker;
let node: ServiceBroker;

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
afterEach(expectConserved);

/** Of the node that no test kills. */
const status = () => call(caller, "wallet.buckets", {}, { nodeID: node.nodeID });
const move = (bucket: number, server: string) =>
  call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" }, { nodeID: node.nodeID });

/** Whether every move is done. */
async function movesDone(): Promise<boolean> {
  return (await status()).moves.every(({ state }) => state === "done");
}

async function moved(bucket: number, server: string): Promise<void> {
  expect(await move(bucket, server)).toEqual({ planned: true });
  await eventually(`bucket ${bucket} is at ${server}`, movesDone, 30_000);
}

/** A new bucket of the tests, empty so far. */
let bucketsUsed = 0;
const newBucket = () => ++bucketsUsed;

async function funded(bucket: number, count: number, coins: number): Promise<string[]> {
  const users = usersOf(bucket, count);
  await Promise.all(users.map((user) => recharge(caller, `r-${user}`, user, coins)));
  return users;
}

const balance = (userId: string) => call(caller, "wallet.balance", { userId });
const statement = (userId: string, limit = 100, cursor?: string) =>
  call(caller, "wallet.statement", { userId, limit, ...(cursor !== undefined && { cursor }) });
const isOn = (server: "home" | "b") => (one: { server?: string }) => one.server === server;

/** What one server's books say of themselves, over all rows. */
async function booksOf(url: string) {
  const off = await rowsAt(
    url,
    "wallet",
    `SELECT a.user_id FROM t_qiyu_currency_account a
     LEFT JOIN (SELECT user_id, SUM(num) AS total, SUM(IF(type = 1, num, 0)) AS charged FROM t_qiyu_currency_trade
       WHERE status = 1 GROUP BY user_id) t USING (user_id)
     LEFT JOIN (SELECT user_id, SUM(num) AS total FROM t_wallet_debt GROUP BY user_id) d USING (user_id)
     WHERE a.current_balance <> COALESCE(t.total, 0) OR a.debt <> COALESCE(d.total, 0)
       OR a.total_charged <> COALESCE(t.charged, 0)`,
  );
  expect(off).toEqual([]);
  const [sums] = await rowsAt<Record<string, string>>(
    url,
    "wallet",
    `SELECT COALESCE(SUM(IF(biz_id NOT LIKE 'bucket-%', num, 0)), 0) AS traded,
       COALESCE(SUM(IF(biz_id LIKE 'bucket-%', num, 0)), 0) AS carried,
       COALESCE(SUM(counterparty_income_points), 0) AS incomes,
       (SELECT COALESCE(SUM(current_balance), 0) FROM t_qiyu_currency_account) AS balances,
       (SELECT COALESCE(SUM(num), 0) FROM t_wallet_debt WHERE biz_id LIKE 'bucket-%') AS debts
     FROM t_qiyu_currency_trade WHERE status = 1`,
  );
  const seals = await rowsAt(
    url,
    "wallet",
    `SELECT t.id FROM t_qiyu_currency_trade t WHERE NOT EXISTS
       (SELECT 1 FROM t_ledger_seal s WHERE s.book = 1 AND t.id BETWEEN s.first_id AND s.last_id) LIMIT 3`,
  );
  expect(seals).toEqual([]);
  return Object.fromEntries(Object.entries(sums ?? {}).map(([name, sum]) => [name, BigInt(sum)]));
}

/** Of both servers together: what was traded is in balances, and what left one has arrived at the other. */
async function expectConserved(): Promise<void> {
  await eventually("no move is under way", movesDone, 30_000);
  const [home, b] = await Promise.all([booksOf(both.urls.home), booksOf(both.urls.b)]);
  const sumOf = (name: string) => (home[name] as bigint) + (b[name] as bigint);
  expect(sumOf("traded")).toBe(sumOf("balances"));
  expect([sumOf("carried"), sumOf("debts")]).toEqual([0n, 0n]);
  const twice = await Promise.all(
    Object.values(both.urls).map((url) =>
      rowsAt<{ biz_id: string }>(url, "wallet", "SELECT biz_id FROM t_qiyu_currency_trade"),
    ),
  );
  const ids = twice.flat().map(({ biz_id }) => biz_id);
  expect(new Set(ids).size).toBe(ids.length);
}

describe("ledgers on two servers", () => {
  test("a user's rows are on the server of her bucket alone, and a call with users of both is charged on both", async () => {
    const [here, there] = [newBucket(), newBucket()];
    await moved(there, "b");
    const [atHome, atB] = [await funded(here, 3, 100), await funded(there, 3, 100)];
    const gifts = [...atHome, ...atB].map((sender) => giftOf(sender));
    const outcomes = (await call(caller, "wallet.consumeForSendGift", { bucket: 0, gifts })).outcomes;
    expect(outcomes.map(({ status, server }) => [status, server])).toEqual([
      ...atHome.map(() => ["succeeded", "home"]),
      ...atB.map(() => ["succeeded", "b"]),
    ]);
    for (const [name, url] of Object.entries(both.urls)) {
      const rows = await rowsAt<{ user_id: string; id: string }>(
        url,
        "wallet",
        "SELECT user_id, id FROM t_qiyu_currency_trade WHERE user_id IN (?)",
        [[...atHome, ...atB]],
      );
      expect(new Set(rows.map(({ user_id }) => storeBucketOf(user_id)))).toEqual(
        new Set([name === "b" ? there : here]),
      );
      expect(new Set(rows.map(({ id }) => serverOfId(id)))).toEqual(new Set([name === "b" ? 1 : 0]));
    }
  });

  test("events of both are published, and credits of a time are listed from both, page by page", async () => {
    const [here, there] = [newBucket(), newBucket()];
    await moved(there, "b");
    const from = new Date();
    const [[first], [second]] = [await funded(here, 1, 11), await funded(there, 1, 22)];
    const about = { from: from.toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
    const credits: { orderId: string; coins: number }[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page: Awaited<ReturnType<typeof call<"wallet.creditsBetween">>> = await call(
        ...([caller, "wallet.creditsBetween", { ...about, cursor }] as const),
      );
      credits.push(...page.list);
      cursor = page.nextCursor ?? undefined;
    }
    const ids = [first, second].map((user) => `r-${user}`);
    expect(credits.filter(({ orderId }) => ids.includes(orderId)).map(({ coins }) => coins)).toEqual([11, 22]);
    for (const [url, user] of [
      [both.urls.home, first],
      [both.urls.b, second],
    ] as const)
      await eventually(
        "the event is published",
        async () => {
          const sql = "SELECT sent_time FROM t_outbox WHERE order_key = ? AND sent_time IS NOT NULL";
          return (await rowsAt(url, "wallet", sql, [`user:${user}`])).length === 1;
        },
        30_000,
      );
  });

  test("an anchor's income is a row on each, summed when it is read, and paid out once from the sum", async () => {
    const [here, there] = [newBucket(), newBucket()];
    await moved(there, "b");
    const [[first], [second]] = [await funded(here, 1, 1_000), await funded(there, 1, 1_000)];
    const [anchor] = usersOf(there, 1) as [string];
    for (const sender of [first, second] as string[])
      await settle(caller, [giftOf(sender, { receiverId: anchor, price: 100 })]);
    const income = () => call(caller, "wallet.income", { userId: anchor });
    await eventually("both are rolled up", async () => (await income()).earned === 100, 30_000);
    const payout = (payoutId: string, points: number) =>
      call(caller, "wallet.payout", { userId: anchor, points, payoutId, operator: "tests" });
    expect(failureName(await payout("too-much", 10_001).catch((error: unknown) => error))).toBe("balanceShort");
    expect(await payout("all-but-one", 9_999)).toMatchObject({ points: 9_999 });
    await moved(there, "home");
    expect(await payout("all-but-one", 9_999)).toMatchObject({ points: 9_999 });
    expect(failureName(await payout("too-much", 10_001).catch((error: unknown) => error))).toBe("balanceShort");
    expect(failureName(await payout("all-but-one", 9_998).catch((error: unknown) => error))).toBe(
      "idempotencyConflict",
    );
    expect(failureName(await payout("two", 2).catch((error: unknown) => error))).toBe("balanceShort");
    expect(await payout("the-last", 1)).toMatchObject({ points: 1 });
    expect(await income()).toMatchObject({ incomePoints: 0, earnedPoints: 10_000, paidOutPoints: 10_000 });
  });

  test("of payouts of one anchor at the same time no more is paid than she earned on both servers", async () => {
    const [here, there] = [newBucket(), newBucket()];
    await moved(there, "b");
    const [[first], [second]] = [await funded(here, 1, 1_000), await funded(there, 1, 1_000)];
    const [anchor] = usersOf(here, 1) as [string];
    for (const sender of [first, second] as string[])
      await settle(caller, [giftOf(sender, { receiverId: anchor, price: 100 })]);
    await eventually(
      "both are rolled up",
      async () => (await call(caller, "wallet.income", { userId: anchor })).earned === 100,
      30_000,
    );
    const paid = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        call(caller, "wallet.payout", { userId: anchor, points: 3_000, payoutId: randomUUID(), operator: "tests" }),
      ),
    );
    expect(paid.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    const hold = { userId: anchor, holdId: randomUUID(), reason: "fraud", operator: "tests" };
    expect(await call(caller, "wallet.holdFree", { ...hold, points: 1_000 })).toMatchObject({ state: "held" });
    await moved(here, "b");
    expect(await call(caller, "wallet.freeHold", { holdId: hold.holdId })).toMatchObject({ points: 1_000 });
    const release = { holdId: hold.holdId, reason: "cleared", operator: "tests" };
    expect(await call(caller, "wallet.releaseFree", release)).toMatchObject({ state: "released" });
    expect(await call(caller, "wallet.income", { userId: anchor })).toMatchObject({ incomePoints: 1_000 });
  });
});

test("payouts and holds at the same moment of an anchor whose bucket has just moved spend what she earned once", async () => {
  const [here, there] = [newBucket(), newBucket()];
  const [sender] = (await funded(here, 1, 1_000)) as [string];
  for (const one of ["payout", "hold"] as const) {
    const [anchor] = usersOf(there, 1) as [string];
    await settle(caller, [giftOf(sender, { receiverId: anchor, price: 200 })]);
    const income = () => call(caller, "wallet.income", { userId: anchor });
    await eventually("the gift is rolled up", async () => (await income()).earned === 100, 30_000);
    if (one === "payout") await moved(there, "b");
    const decided = await Promise.allSettled(
      Array.from({ length: 8 }, (): Promise<unknown> => {
        const about = { userId: anchor, points: 6_000, operator: "tests" };
        if (one === "payout") return call(caller, "wallet.payout", { ...about, payoutId: randomUUID() });
        return call(caller, "wallet.holdFree", { ...about, holdId: randomUUID(), reason: "fraud" });
      }),
    );
    expect(decided.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refusals = decided.flatMap((each) => (each.status === "rejected" ? [failureName(each.reason)] : []));
    expect(new Set(refusals)).toEqual(new Set(["balanceShort"]));
    expect(await income()).toMatchObject({ incomePoints: 4_000 });
  }
});

describe("a bucket that moves", () => {
  test("takes balances, debts and states along; history stays, and the statement runs on without the move", async () => {
    const bucket = newBucket();
    const [payer, frozen, poor] = (await funded(bucket, 3, 100)) as [string, string, string];
    const first = giftOf(payer, { price: 30 });
    await settle(caller, [first]);
    await call(caller, "wallet.freeze", { userId: frozen, reason: "fraud", operator: "tests" });
    await settle(caller, [giftOf(poor, { price: 100 })]);
    await publish("pay.refund", rechargeMessage(`r-${poor}`, poor, 100), `pay.refund:r-${poor}`);
    await eventually("the refund is a debt", async () => (await balance(poor)).debt === 100, 30_000);
    const before = await Promise.all([payer, frozen, poor].map(balance));
    await moved(bucket, "b");
    expect(await Promise.all([payer, frozen, poor].map(balance))).toEqual(before);
    expect((await call(caller, "wallet.unusableOf", { userIds: [payer, frozen] })).userIds).toEqual([frozen]);
    await call(caller, "wallet.unfreeze", { userId: frozen, reason: "cleared", operator: "tests" });
    await settle(caller, [giftOf(payer, { price: 20 })]);
    await recharge(caller, `again-${poor}`, poor, 150);
    await moved(bucket, "home");
    await settle(caller, [giftOf(payer, { price: 10 })]);
    expect((await balance(frozen)).status).toBe(1);
    expect(await balance(payer)).toMatchObject({ balance: 40, totalCharged: 100 });
    expect(await balance(poor)).toMatchObject({ balance: 50, debt: 0, totalCharged: 250 });
    const { list } = await statement(payer);
    expect(list.map(({ num, balanceAfter }) => [num, balanceAfter])).toEqual([
      ...[
        [-10, 40],
        [-20, 50],
        [-30, 70],
        [100, 100],
      ],
    ]);
    const paged: StatementRow[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page: Awaited<ReturnType<typeof statement>> = await statement(payer, 1, cursor);
      paged.push(...page.list);
      cursor = page.nextCursor ?? undefined;
    }
    expect(paged).toEqual(list);
    const debts = (await statement(poor)).list.flatMap(({ debt }) => (debt ? [debt] : []));
    expect(debts).toMatchObject([
      { change: -100, after: 0, orders: [{ orderId: `r-${poor}`, coins: 100 }] },
      { change: 100, after: 100, orders: [{ orderId: `r-${poor}`, coins: 100 }] },
    ]);
  });

  test("leaves a charge one for ever: repeats of gifts, credits and refunds from before it get their first outcome", async () => {
    const bucket = newBucket();
    const [user] = (await funded(bucket, 1, 50)) as [string];
    const [paid, failed] = [giftOf(user, { price: 50 }), giftOf(user, { price: 60 })];
    const first = await settle(caller, [paid, failed]);
    expect(first.every(isOn("home"))).toBe(true);
    await recharge(caller, `more-${user}`, user, 500);
    await moved(bucket, "b");
    const again = first.map((outcome) => ({ ...outcome, repeated: true }));
    expect(await settle(caller, [paid, failed])).toEqual(again);
    expect((await settle(caller, [{ ...paid, price: 51 }]))[0]).toMatchObject({ reason: "idempotencyConflict" });
    await publish("pay.recharge", rechargeMessage(`more-${user}`, user, 500), `again:${user}`);
    await recharge(caller, `last-${user}`, user, 1);
    expect(await balance(user)).toMatchObject({ balance: 501, totalCharged: 551 });
    await moved(bucket, "home");
    expect(await settle(caller, [paid, failed])).toEqual(again);
    const { list: credits } = await call(caller, "wallet.creditsOf", { orderIds: [`more-${user}`, `last-${user}`] });
    expect(credits.map(({ coins }) => coins).sort()).toEqual([1, 500]);
  });

  test.each<MoveStep>(["closed", "left", "arrived", "moved", "mapped", "opened"])(
    "goes on after its node ended at the step %s, and nothing is lost or doubled",
    async (step) => {
      const bucket = newBucket();
      const users = await funded(bucket, 3, 70);
      const frozen = users[2] as string;
      await call(caller, "wallet.freeze", { userId: frozen, reason: "fraud", operator: "tests" });
      let ended = 0;
      walletOn(node).moveBreakpoint = (reached) => {
        if (reached === step && ended++ === 0) throw new Error(`the node ends at ${step}`);
      };
      await moved(bucket, "b");
      expect(ended).toBeGreaterThan(0);
      for (const user of users)
        expect(await balance(user)).toMatchObject({ balance: 70, totalCharged: 70, status: user === frozen ? 2 : 1 });
      const sql = "SELECT user_id FROM t_qiyu_currency_account WHERE user_id IN (?) AND status <> 1";
      expect(await rowsAt(both.urls.home, "wallet", sql, [users])).toEqual([]);
      expect((await settle(caller, [giftOf(users[0] as string, { price: 70 })]))[0]).toMatchObject({
        ...{ status: "succeeded", server: "b", balanceAfter: 0 },
      });
    },
  );

  test("stays closed, and says so, while what arrived is not what left; a later move goes on", async () => {
    const [bucket, other] = [newBucket(), newBucket()];
    const [user] = (await funded(bucket, 1, 70)) as [string];
    const [neighbour] = (await funded(other, 1, 30)) as [string];
    const change = (by: number) =>
      rowsAt(
        ...([both.urls.b, "wallet", "UPDATE t_qiyu_currency_trade SET num = num + ? WHERE user_id = ?"] as const),
        [by, user],
      );
    let rounds = 0;
    walletOn(node).moveBreakpoint = async (step) => {
      if (step === "arrived" && ++rounds === 1) await change(1);
    };
    try {
      expect(await move(bucket, "b")).toEqual({ planned: true });
      await eventually("it was tried again", () => rounds >= 3, 30_000);
      expect(await move(other, "b")).toEqual({ planned: true });
      const moveOf = async (wanted: number) => (await status()).moves.find((one) => one.bucket === wanted);
      await eventually("the later one is done", async () => (await moveOf(other))?.state === "done", 30_000);
      expect(await balance(neighbour)).toMatchObject({ balance: 30 });
      expect(await moveOf(bucket)).toMatchObject({ state: "closed" });
      expect(isUnavailable(await balance(user).catch((error: unknown) => error))).toBe(true);
    } finally {
      walletOn(node).moveBreakpoint = undefined;
      if (rounds > 0) await change(-1);
    }
    await eventually("the move is done", movesDone, 30_000);
    expect(await balance(user)).toMatchObject({ balance: 70 });
  });

  test("waits for a transaction that holds the gate without making others wait behind it", async () => {
    const bucket = newBucket();
    const [user] = (await funded(bucket, 1, 70)) as [string];
    const held = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    const holding = walletOn(node).mysql.transaction(async (tx) => {
      // It says nothing for as long as the machine takes.
      await tx.query(idleTransaction(0));
      await tx.query("SELECT bucket FROM t_wallet_gate WHERE bucket = ? LOCK IN SHARE MODE", [bucket]);
      isHeld.resolve();
      await held.promise;
    });
    await isHeld.promise;
    expect(await move(bucket, "b")).toEqual({ planned: true });
    for (let gift = 0; gift < 20; gift++)
      expect((await settle(caller, [giftOf(user, { price: 1 })]))[0]).toMatchObject({ server: "home" });
    expect((await status()).moves[0]).toMatchObject({ bucket, state: "planned" });
    held.resolve();
    await holding;
    await eventually("the move is done", movesDone, 30_000);
    expect(await balance(user)).toMatchObject({ balance: 50 });
  });

  test("is refused where a gift or wallet node does not know both servers, and where no server has the name", async () => {
    expect(failureName(await move(1, "c").catch((error: unknown) => error))).toBe("invalidParam");
    const gift = await startNode("gift-without-servers", [{ name: "gift" }]);
    await waitForNode(node, "gift", gift.nodeID);
    expect(failureName(await move(newBucket(), "b").catch((error: unknown) => error))).toBe("unavailable");
    await stopNode(gift);
    await eventually("the gift node is gone", () => !node.registry.hasService("gift", gift.nodeID), 30_000);
    const setting = process.env.WALLET_MYSQL_URLS;
    delete process.env.WALLET_MYSQL_URLS;
    await expect(startWallet("wallet-without-servers")).rejects.toThrow(/WALLET_MYSQL_URLS lacks b/);
    process.env.WALLET_MYSQL_URLS = setting;
  });
});

/** Gifts of users, one after the other for each, repeated until there is an outcome. */
async function send(
  users: readonly string[],
  isOver: () => boolean,
): Promise<Map<string, [GiftCharge, GiftOutcome][]>> {
  const sent = new Map<string, [GiftCharge, GiftOutcome][]>();
  const untilKnown = async (gift: GiftCharge): Promise<GiftOutcome> => {
    for (;;)
      try {
        return (await settle(caller, [gift]))[0] as GiftOutcome;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  };
  await Promise.all(
    users.map(async (user) => {
      const own: [GiftCharge, GiftOutcome][] = [];
      sent.set(user, own);
      while (!isOver()) {
        const gift = giftOf(user, { price: 1 });
        own.push([gift, await untilKnown(gift)]);
      }
    }),
  );
  return sent;
}

function startWalletProcess(label: string, setting = process.env.WALLET_MYSQL_URLS as string): Child {
  return startChild({
    name: label,
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "wallet", "{}"],
    cwd: projectRoot(),
    env: { NODE_LABEL: label, WALLET_MYSQL_URLS: setting },
    output: { prefix: `${label}|` },
    ready: /^ready (\{.*\})$/,
  });
}

test("while users send, buckets move to and fro and a node is killed in the midst: each gift is charged once, in order", async () => {
  const buckets = [newBucket(), newBucket()];
  const users = (await Promise.all(buckets.map((bucket) => funded(bucket, 4, 100_000)))).flat();
  const child = startWalletProcess("wallet-killed");
  const ready = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
  await waitForNode(caller, "wallet", ready.nodeId);
  await waitForNode(node, "wallet", ready.nodeId);
  let isOver = false;
  const sending = send(users, () => isOver);
  try {
    for (const server of ["b", "home", "b"]) {
      for (const bucket of buckets) expect(await move(bucket, server)).toEqual({ planned: true });
      if (server === "home") {
        process.kill(child.pid as number, "SIGKILL");
        await child.exited;
      }
      await eventually(`the buckets are at ${server}`, movesDone, 60_000);
    }
  } finally {
    isOver = true;
  }
  const sent = await sending;
  for (const [user, gifts] of sent) {
    expect(gifts.length).toBeGreaterThan(0);
    expect(gifts.map(([, { status }]) => status)).toEqual(gifts.map(() => "succeeded"));
    expect(gifts.map(([, { balanceAfter }]) => balanceAfter)).toEqual(gifts.map((_, at) => 100_000 - at - 1));
    expect(await balance(user)).toMatchObject({ balance: 100_000 - gifts.length, totalCharged: 100_000 });
  }
}, 300_000);

test("a node with one server ends once the home server names a further one", async () => {
  await rowsAt(both.urls.home, "wallet", "DELETE FROM t_server WHERE name = 'b'");
  const child = startWalletProcess("wallet-of-one", "");
  try {
    await child.ready;
  } finally {
    await rowsAt(both.urls.home, "wallet", "INSERT INTO t_server (name, number, is_self) VALUES ('b', 1, 0)");
  }
  await child.exited;
  expect(child.lastLines().join("\n")).toMatch(/WALLET_MYSQL_URLS lacks b/);
  // It has not said goodbye: calls would go to it.
  const { nodeId } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
  await eventually("the bus knows that it is gone", () => !caller.registry.hasService("wallet", nodeId), 40_000);
});

test("a gate that is open on two servers is found and degrades the wallet; an operator closes the one that the map does not name", async () => {
  const bucket = newBucket();
  const [user] = (await funded(bucket, 1, 10)) as [string];
  const gates = async () => {
    const report: Record<string, unknown> = await caller.call("wallet.health", {}, { nodeID: node.nodeID });
    return JSON.stringify(report.gates);
  };
  await eventually("map and gates agree", async () => (await gates()) === "true", 40_000);
  await rowsAt(both.urls.b, "wallet", "UPDATE t_wallet_gate SET is_open = 1 WHERE bucket = ?", [bucket]);
  await eventually("it is found", async () => (await gates()).includes(`bucket ${bucket} openTwice`), 40_000);
  const wrong = node.metrics.list({ includes: "ovation.wallet.gates.wrong" }) as unknown as {
    values: { labels: { kind: string }; value: number }[];
  }[];
  expect(wrong[0]?.values.filter(({ value }) => value > 0)).toMatchObject([
    { labels: { kind: "openTwice" }, value: 1 },
  ]);
  const close = (server: string) =>
    call(caller, "wallet.closeGate", { bucket, server, operator: "tests" }, { nodeID: node.nodeID });
  expect(failureName(await close("home").catch((error: unknown) => error))).toBe("invalidParam");
  expect([await close("b"), await close("b")]).toEqual([{ closed: true }, { closed: false }]);
  await eventually("map and gates agree again", async () => (await gates()) === "true", 40_000);
  expect((await settle(caller, [giftOf(user)]))[0]).toMatchObject({ status: "succeeded", server: "home" });
});

test("once the home server names a further server, a node that has not heard of it writes no ledger any more", async () => {
  const [user] = (await funded(newBucket(), 1, 100)) as [string];
  await rowsAt(both.urls.home, "wallet", "DELETE FROM t_server WHERE name = 'b'");
  const child = startWalletProcess("wallet-of-old", "");
  const charge = async (gift: GiftCharge) => {
    const { nodeId } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
    await waitForNode(caller, "wallet", nodeId);
    return call(caller, "wallet.consumeForSendGift", { bucket: 0, gifts: [gift] }, { nodeID: nodeId });
  };
  const [before, after] = [giftOf(user), giftOf(user)];
  try {
    expect((await charge(before)).outcomes).toMatchObject([{ status: "succeeded" }]);
  } finally {
    await addServers(walletServers() as never, both.urls.home);
  }
  // Sooner than the node reads the names by itself.
  expect(isUnavailable(await charge(after).catch((error: unknown) => error))).toBe(true);
  const sql = "SELECT biz_id FROM t_qiyu_currency_trade WHERE biz_id IN (?)";
  const written = await rowsAt<{ biz_id: string }>(both.urls.home, "wallet", sql, [[before.orderId, after.orderId]]);
  expect(written.map(({ biz_id }) => biz_id)).toEqual([before.orderId]);
  await child.exited;
});

test("a login of the wallet's own, with the rights of its job alone, suffices on both servers", async () => {
  const setting = process.env.WALLET_MYSQL_URLS as string;
  const namespace = config().NAMESPACE;
  const own = withLogin(both.urls.home, { username: `w_${namespace}`, password: "only-of-this-test" });
  const urls = new Map([["wallet", own]] as const);
  await grantLogins(both.urls.home, namespace, urls);
  const named = [
    { name: "home", url: both.urls.home },
    { name: "b", url: both.urls.b },
  ] as const;
  await grantAtServers(named, { adminUrl: both.urls.home, namespace, urls });
  process.env.WALLET_MYSQL_URL = own;
  process.env.WALLET_MYSQL_URLS = `home=${both.urls.home},b=mysql://${placesOf(both.urls.b)}`;
  try {
    const poor = await startWallet("wallet-own-login");
    await waitForNode(caller, "wallet", poor.nodeID);
    await stopNode(node);
    const bucket = newBucket();
    node = poor;
    await moved(bucket, "b");
    const [user] = (await funded(bucket, 1, 10)) as [string];
    expect((await settle(caller, [giftOf(user, { price: 10 })]))[0]).toMatchObject({
      status: "succeeded",
      server: "b",
    });
  } finally {
    delete process.env.WALLET_MYSQL_URL;
    process.env.WALLET_MYSQL_URLS = setting;
  }
  const [poor, usual] = [node, await startWallet("wallet-usual")];
  await waitForNode(caller, "wallet", usual.nodeID);
  await stopNode(poor);
  node = usual;
  for (const url of Object.values(both.urls)) await rowsAt(url, "wallet", `DROP USER 'w_${namespace}'@'%'`);
});

test("a node that restarts on two servers finds everything where it was", async () => {
  const { servers } = await status();
  const again = await startWallet("wallet-2");
  await waitForNode(caller, "wallet", again.nodeID);
  expect((await call(caller, "wallet.buckets", {}, { nodeID: again.nodeID })).servers).toEqual(servers);
  await stopNode(again);
});
