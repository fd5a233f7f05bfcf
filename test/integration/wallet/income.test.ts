import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import { TransactionSeals } from "../../../mixins/seals/seal-chains.ts";
import { noDigest } from "../../../mixins/seals/seal-form.ts";
import { bookKeys } from "../../../services/book-keys.ts";
import { call } from "../../../services/contracts.ts";
import { rollUpIncomes } from "../../../services/wallet/income/income-store.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { untilUserWaits } from "../../support/lock-waits.ts";
import { operatorCalls } from "../../support/operator-calls.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { giftOf, settle as settleOn, startWallet, walletOn } from "./traffic.ts";
import { openWire, type Wire } from "./wire.ts";

jest.setTimeout(120_000);
// A call must outlast the server's lock wait of five seconds and a second attempt, on a busy machine too.
process.env.CALL_TIMEOUT_MS = "20000";

const mysqlUrl = process.env.MYSQL_URL as string;
let wire: Wire;
let caller: ServiceBroker;
let nodes: ServiceBroker[];
/** A direct connection to the database. */
let other: Connection;
let next = 1000;
const newUser = () => String(9_400_000_000_000_000_000n + BigInt(next++));

beforeAll(async () => {
  wire = await openWire(mysqlUrl);
  process.env.MYSQL_URL = wire.url;
  nodes = await Promise.all([startWallet("wallet-1"), startWallet("wallet-2")]);
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  other = await createConnection({ uri: mysqlUrl, database: databaseName("wallet"), supportBigNumbers: true });
});
afterAll(async () => {
  await other?.end();
  await stopAll();
  await wire.close();
});
afterEach(async () => {
  await other.rollback();
  await expectBooksBalanced();
});

/** A small round of the roll-up. */
function rollUpOn(node: ServiceBroker) {
  const { mysql, seals } = walletOn(node);
  return seals.transaction(mysql, (tx, sealing) => rollUpIncomes(tx, { rows: 2, entries: 100 }, sealing));
}

/** A round of the roll-up in this test's own transaction. */
function myRollUp(bounds: { rows: number; entries: number }) {
  const tx = mine();
  const head = { writer: "0".repeat(32), number: 0, digest: noDigest };
  return rollUpIncomes(tx, bounds, new TransactionSeals(tx, { service: "wallet", keys: bookKeys("wallet") }, head));
}

/** A transaction of this test, on the direct connection. */
function mine(): Transaction {
  const run = async (sql: string, values?: unknown[]) => (await other.query(sql, values))[0];
  return { inTransaction: true, query: run, run } as Transaction;
}

const settle = (...gifts: GiftCharge[]) => settleOn(caller, gifts);
const income = (userId: string) => call(caller, "wallet.income", { userId });
const payOut = (userId: string, points: number, payoutId: string, from = caller) =>
  call(from, "wallet.payout", { userId, points, payoutId, reason: "march", operator: "alice" });
const answerOf = (paid: Promise<unknown>) => paid.then(() => "paid", failureName);
const onEachNode = (at: number) => nodes[at % 2];

async function funded(coins: number): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

const earned = (anchorId: string, earnedPoints: number) =>
  eventually(
    `${earnedPoints} points earned`,
    async () => {
      const now = await income(anchorId);
      return now.earnedPoints === earnedPoints ? now : undefined;
    },
    30_000,
  );

/** An anchor with this free income, coins. */
async function anchorWith(coins: number): Promise<string> {
  const anchor = newUser();
  await settle(giftOf(await funded(coins), { receiverId: anchor, price: coins, sharePercent: 100 }));
  await earned(anchor, coins * 100);
  return anchor;
}

const postingsOf = (anchorId: string) =>
  rows<{ kind: number; points: string; status: number; biz_id: string }>(
    "wallet",
    "SELECT kind, points, status, biz_id FROM t_income_posting WHERE anchor_id = ? ORDER BY id",
    [anchorId],
  );

describe("income", () => {
  test("a hundred gifts of 1 coin at 50 % earn 50 coins, like one gift of a hundred", async () => {
    const [small, large] = [newUser(), newUser()];
    const fan = await funded(200);
    await settle(...Array.from({ length: 100 }, () => giftOf(fan, { receiverId: small, price: 1 })));
    await settle(giftOf(fan, { receiverId: large, price: 100 }));
    for (const anchor of [small, large]) expect(await earned(anchor, 5_000)).toMatchObject({ income: 50, earned: 50 });
  });

  test("shares of any percent add up exactly, and whole coins are the points rounded down", async () => {
    const anchor = newUser();
    const fan = await funded(1_000);
    const gifts = [
      [1, 33],
      [7, 1],
      [3, 99],
      [1, 0],
      [101, 67],
    ].map(([price = 1, sharePercent = 0]) => giftOf(fan, { receiverId: anchor, price, sharePercent }));
    const outcomes = await settle(...gifts);
    expect(outcomes.map(({ income: coins, incomePoints }) => [coins, incomePoints])).toEqual([
      [0, 33],
      [0, 7],
      [2, 297],
      [0, 0],
      [67, 6_767],
    ]);
    expect(await earned(anchor, 7_104)).toMatchObject({ income: 71, incomePoints: 7_104, earned: 71 });
    const [total] = await rows("wallet", "SELECT income FROM t_anchor_income WHERE user_id = ?", [anchor]);
    expect(total).toEqual({ income: "71" });
  });

  test("a gift keeps the share of its first charge: a repeat with another share changes nothing", async () => {
    const anchor = newUser();
    const gift = giftOf(await funded(10), { receiverId: anchor, price: 10, sharePercent: 60 });
    const [first] = await settle(gift);
    expect(await settle({ ...gift, sharePercent: 80 })).toEqual([{ ...first, repeated: true }]);
    expect(await earned(anchor, 600)).toMatchObject({ incomePoints: 600 });
  });

  test.each([-1, 101, 12.5, Number.NaN, "50" as never, null as never])(
    "a share of %p is refused at the border",
    async (sharePercent) => {
      await expect(settle(giftOf(newUser(), { sharePercent }))).rejects.toMatchObject({ type: "invalidParam" });
    },
  );

  test("rolled up by two nodes at once has one posting for each anchor and round, and the sums of the gifts", async () => {
    const fans = await Promise.all(Array.from({ length: 6 }, () => funded(300)));
    const anchors = Array.from({ length: 40 }, newUser);
    let settling = true;
    // Small rounds without a pause, at the same time as the nodes' own rounds.
    const rounds = nodes.map(async (node) => {
      let taken = 0;
      while (settling) taken += (await rollUpOn(node)).rows;
      return taken;
    });
    for (const sharePercent of [10, 33])
      for (const receiverId of anchors)
        await Promise.all(fans.map((fan) => settle(giftOf(fan, { receiverId, price: 3, sharePercent }))));
    settling = false;
    for (const taken of await Promise.all(rounds)) expect(taken).toBeGreaterThan(0);
    const points = 6 * 3 * (10 + 33);
    for (const anchor of anchors) expect(await earned(anchor, points)).toMatchObject({ incomePoints: points });
    const postings = await postingsOf(anchors[0] as string);
    expect(postings.length).toBeGreaterThan(1);
    expect(postings.reduce((sum, posting) => sum + Number(posting.points), 0)).toBe(points);
    for (const { kind, biz_id } of postings)
      expect([kind, biz_id]).toEqual([0, expect.stringMatching(/^gifts:[0-9a-f-]{36}:/)]);
  });

  test("of more anchors than fit into one statement, and beyond the safe integers, is rolled up exactly", async () => {
    const many = Array.from({ length: limits.wallet.incomeAnchorsPerStatement + 500 }, newUser);
    const rich = newUser();
    const entries = [...many.map((anchor) => [anchor, "1"]), [rich, "9007199254740993"], [rich, "2"]];
    await other.beginTransaction();
    await other.query("INSERT INTO t_anchor_income_pending (incomes) VALUES (?)", [JSON.stringify(entries)]);
    expect((await myRollUp({ rows: 500, entries: 20_000 })).rows).toBeGreaterThan(0);
    const [[sums]] = (await other.query(
      "SELECT COUNT(*) AS anchors, CAST(SUM(points) AS CHAR) AS points FROM t_income_posting WHERE anchor_id IN (?)",
      [[...many, rich]],
    )) as unknown as [[{ anchors: number; points: string }]];
    expect([Number(sums.anchors), sums.points]).toEqual([
      many.length + 1,
      String(9007199254740995n + BigInt(many.length)),
    ]);
  });
});

describe("the roll-up", () => {
  const pending = () => rows<{ id: string }>("wallet", "SELECT id FROM t_anchor_income_pending");
  const nothingPending = () => eventually("nothing is pending", async () => (await pending()).length === 0, 30_000);

  test("works after the ids of pending rows restart while the ledger is kept", async () => {
    const [fan, anchor] = [await funded(30), newUser()];
    for (const coins of [10, 20, 30]) {
      await nothingPending();
      await other.query("TRUNCATE t_anchor_income_pending");
      await settle(giftOf(fan, { receiverId: anchor, price: 10, sharePercent: 100 }));
      await earned(anchor, coins * 100);
    }
    expect(await postingsOf(anchor)).toHaveLength(3);
  });

  test("runs on one node at a time: no node does it while another holder has the lease", async () => {
    const [fan, anchor] = [await funded(10), newUser()];
    await nothingPending();
    await other.query("SET @until = UTC_TIMESTAMP(3) + INTERVAL 1 SECOND");
    await other.query(
      `INSERT INTO t_lease (name, holder, until_time) VALUES ('income-rollup', '', '2000-01-01')
       ON DUPLICATE KEY UPDATE holder = 'a-dead-node', until_time = @until`,
    );
    await settle(giftOf(fan, { receiverId: anchor, price: 10 }));
    await earned(anchor, 500);
    const later = "SELECT create_time >= @until AS isLater FROM t_income_posting WHERE anchor_id = ?";
    expect((await other.query(later, [anchor]))[0]).toEqual([{ isLater: 1 }]);
  });

  test("takes rows into a round up to the bound of entries, and reports that there are more", async () => {
    await nothingPending();
    await other.beginTransaction();
    for (let row = 0; row < 4; row++) {
      const entries = Array.from({ length: 30 }, () => [newUser(), "1"]);
      await other.query("INSERT INTO t_anchor_income_pending (incomes) VALUES (?)", [JSON.stringify(entries)]);
    }
    const round = () => myRollUp({ rows: 500, entries: 50 });
    expect(await round()).toEqual({ rows: 2, more: true });
    expect(await round()).toEqual({ rows: 2, more: false });
    expect(await round()).toEqual({ rows: 0, more: false });
    expect(await myRollUp({ rows: 500, entries: 1 })).toEqual({ rows: 0, more: false });
  });

  test("that fails logs the first row and degrades readiness until the cause is repaired", async () => {
    await nothingPending();
    const errors = nodes.map((node) => jest.spyOn(walletOn(node).logger, "error"));
    const reportOf = async (node: ServiceBroker) =>
      ((await node.call("wallet.health", {}, { nodeID: node.nodeID })) as HealthReport).income;
    const reports = () => Promise.all(nodes.map(reportOf));
    expect(await reports()).toEqual([true, true]);
    await other.query(
      `INSERT INTO t_anchor_income_pending (incomes, create_time)
       VALUES ('[["no anchor", "1"]]', UTC_TIMESTAMP(3) - INTERVAL 61 SECOND)`,
    );
    try {
      const [row] = await pending();
      const said = () => errors.flatMap(({ mock }) => mock.calls as unknown as [{ firstPendingId?: string }][]);
      await eventually("an error", () => said().some(([about]) => about.firstPendingId === row?.id), 30_000);
      const late = /has not been rolled up for ([6-9]|1\d)\d s/;
      await eventually(
        "both say that it is late",
        async () => (await reports()).every((income) => late.test(JSON.stringify(income))),
        30_000,
      );
      expect(await reports()).toEqual([{ degraded: expect.any(String) }, { degraded: expect.any(String) }]);
    } finally {
      await other.query("DELETE FROM t_anchor_income_pending");
      for (const error of errors) error.mockRestore();
    }
    await eventually(
      "both say that it is in time",
      async () => (await reports()).every((income) => income === true),
      30_000,
    );
  });
});

describe("a payout", () => {
  test("takes from the free income once and returns its time; a repeat gets the same answer", async () => {
    const anchor = await anchorWith(10);
    const first = await payOut(anchor, 350, `pay-${anchor}`);
    expect(first).toEqual({
      userId: anchor,
      points: 350,
      payoutId: `pay-${anchor}`,
      time: expect.stringMatching(/Z$/),
    });
    const repeats = await Promise.all(
      Array.from({ length: 20 }, (_, at) => payOut(anchor, 350, `pay-${anchor}`, onEachNode(at))),
    );
    for (const repeat of repeats) expect(repeat).toEqual(first);
    expect(await income(anchor)).toMatchObject({
      ...{ income: 6, incomePoints: 650, earned: 10, earnedPoints: 1_000, heldBack: 0, paidOut: 3, paidOutPoints: 350 },
    });
    expect(await postingsOf(anchor)).toMatchObject([
      { kind: 0, points: "1000" },
      { kind: 3, points: "-350", status: 1, biz_id: `payout:pay-${anchor}` },
    ]);
    const [audit] = await rows(
      "wallet",
      `SELECT operator, action, outcome, params FROM ${operatorCalls} WHERE params LIKE ? ORDER BY id LIMIT 1`,
      [`%pay-${anchor}%`],
    );
    expect(audit).toMatchObject({ operator: "alice", action: "wallet.payout", outcome: "succeeded" });
  });

  test("with a used id and other points or another anchor is a conflict and moves nothing", async () => {
    const [anchor, another] = [await anchorWith(10), await anchorWith(10)];
    await payOut(anchor, 350, `pay-${anchor}`);
    expect(await answerOf(payOut(anchor, 351, `pay-${anchor}`))).toBe("idempotencyConflict");
    expect(await answerOf(payOut(another, 350, `pay-${anchor}`))).toBe("idempotencyConflict");
    expect([await income(anchor), await income(another)]).toMatchObject([{ paidOutPoints: 350 }, { paidOutPoints: 0 }]);
  });

  test("of more than is free is rejected for ever; a new id may pay once there is more", async () => {
    const anchor = await anchorWith(10);
    expect(await answerOf(payOut(anchor, 1_001, `over-${anchor}`))).toBe("balanceShort");
    expect(await answerOf(payOut(newUser(), 1, `none-${anchor}`))).toBe("balanceShort");
    await settle(giftOf(await funded(10), { receiverId: anchor, price: 10, sharePercent: 100 }));
    await earned(anchor, 2_000);
    expect(await answerOf(payOut(anchor, 1_001, `over-${anchor}`))).toBe("balanceShort");
    expect(await answerOf(payOut(anchor, 1_001, `next-${anchor}`))).toBe("paid");
    expect(await income(anchor)).toMatchObject({ incomePoints: 999, paidOutPoints: 1_001 });
  });

  test.each([0, -1, 1.5, 2 ** 53, Number.NaN, "100" as never, null as never, undefined as never])(
    "of %p points is invalidParam, and nothing is written but the audit",
    async (points) => {
      const anchor = newUser();
      expect(await answerOf(payOut(anchor, points, `bad-${anchor}`))).toBe("invalidParam");
      expect(await postingsOf(anchor)).toEqual([]);
    },
  );

  test.each(["", "with a blank", "x".repeat(65), "é"])("with the id %p is refused at the border", async (payoutId) => {
    await expect(payOut(newUser(), 1, payoutId)).rejects.toMatchObject({ type: "invalidParam" });
  });

  test("many at once over two nodes: as many succeed as the income covers", async () => {
    const anchor = await anchorWith(10);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, at) => answerOf(payOut(anchor, 130, `many-${anchor}-${at}`, onEachNode(at)))),
    );
    expect(answers.filter((answer) => answer === "paid")).toHaveLength(7);
    expect(answers.filter((answer) => answer === "balanceShort")).toHaveLength(53);
    expect(await income(anchor)).toMatchObject({ incomePoints: 90, paidOutPoints: 910 });
  });

  test("of one id for two anchors at once is one payout and one conflict", async () => {
    const [anchor, another] = [await anchorWith(10), await anchorWith(10)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        answerOf(payOut(at % 2 ? anchor : another, 10, `one-${anchor}`, onEachNode(at))),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(["paid", "idempotencyConflict"]));
    const paid = [await income(anchor), await income(another)].map(({ paidOutPoints }) => paidOutPoints);
    expect(paid.sort()).toEqual([0, 10]);
  });

  test.each<[string, { at: string; after?: string; how: "reply lost" | "half sent" }]>([
    ["in the middle of its totals", { at: "SET paid_out_points", how: "half sent" }],
    ["between its totals and its posting", { at: "SET paid_out_points", how: "reply lost" }],
    ["after its posting", { at: "INSERT INTO t_income_posting (anchor_id, kind, points, status", how: "reply lost" }],
    [
      "before the answer to COMMIT",
      { after: "INSERT INTO t_income_posting (anchor_id, kind, points, status", at: "COMMIT", how: "reply lost" },
    ],
  ])("whose connection breaks %s is made whole or not at all, and once when it comes again", async (_where, fault) => {
    const anchor = await anchorWith(10);
    const broke = wire.breakOnce(fault);
    expect(await answerOf(payOut(anchor, 400, `broken-${anchor}`))).toBe("unavailable");
    await broke;
    expect(await income(anchor)).toMatchObject({ paidOutPoints: fault.at === "COMMIT" ? 400 : 0 });
    expect(await answerOf(payOut(anchor, 400, `broken-${anchor}`))).toBe("paid");
    expect(await income(anchor)).toMatchObject({ incomePoints: 600, paidOutPoints: 400 });
  });

  test("waits for a concurrent decision about the same anchor and is decided on its result", async () => {
    const anchor = await anchorWith(10);
    await other.beginTransaction();
    await other.query("UPDATE t_anchor_income SET held_points = 700 WHERE user_id = ?", [anchor]);
    const waiting = answerOf(payOut(anchor, 400, `waits-${anchor}`));
    await untilUserWaits(other, anchor);
    await other.query(
      "INSERT INTO t_income_posting (anchor_id, kind, points, biz_id, order_id) VALUES (?, 1, -700, ?, 'o')",
      [anchor, `hold:o:${anchor}`],
    );
    await other.commit();
    expect(await waiting).toBe("balanceShort");
    expect(await income(anchor)).toMatchObject({ incomePoints: 300, paidOutPoints: 0 });
    await other.query("DELETE FROM t_income_posting WHERE biz_id = ?", [`hold:o:${anchor}`]);
    await other.query("UPDATE t_anchor_income SET held_points = 0 WHERE user_id = ?", [anchor]);
  });

  test("of more than was earned is refused by the database too", async () => {
    const anchor = await anchorWith(10);
    const take = "UPDATE t_anchor_income SET paid_out_points = 1001 WHERE user_id = ?";
    await expect(other.query(take, [anchor])).rejects.toThrow(/ck_paid_out_earned/);
  });
});

describe("payouts among holds and releases", () => {
  /** A payer whose refunded coins were spent on the anchor: its share can be held back. */
  async function refunded(anchor: string, coins: number): Promise<string> {
    const payer = await funded(coins);
    await settle(giftOf(payer, { receiverId: anchor, price: coins, sharePercent: 50 }));
    const message = { orderId: `order-${payer}`, userId: payer, coins, amount: 1, reason: "r", time: "t" };
    await publish("pay.refund", message, `pay.refund:order-${payer}`);
    await eventually(
      "the refund",
      async () => (await call(caller, "wallet.balance", { userId: payer })).debt === coins,
      30_000,
    );
    return `order-${payer}`;
  }

  const order = (orderId: string) => ({ orderId, reason: "r", operator: "alice" });
  const hold = (orderId: string, from = caller) => call(from, "wallet.holdIncome", order(orderId));
  const release = (orderId: string, from = caller) => call(from, "wallet.releaseHold", order(orderId));

  test("a hold of what was paid out leaves the free income below zero until gifts make up for it; a payout never does", async () => {
    const anchor = newUser();
    const spent = await refunded(anchor, 9);
    await earned(anchor, 450);
    await payOut(anchor, 400, `pay-${anchor}`);
    await hold(spent);
    expect(await income(anchor)).toMatchObject({
      income: -4,
      incomePoints: -400,
      heldBackPoints: 450,
      paidOutPoints: 400,
    });
    expect(await answerOf(payOut(anchor, 1, `short-${anchor}`))).toBe("balanceShort");
    await settle(giftOf(await funded(5), { receiverId: anchor, price: 5, sharePercent: 100 }));
    await earned(anchor, 950);
    expect(await answerOf(payOut(anchor, 101, `more-${anchor}`))).toBe("balanceShort");
    expect(await answerOf(payOut(anchor, 100, `rest-${anchor}`))).toBe("paid");
    expect(await income(anchor)).toMatchObject({ incomePoints: 0 });
    await release(spent);
    expect(await income(anchor)).toMatchObject({ incomePoints: 450, heldBackPoints: 0 });
  });

  test("made at once, while gifts are rolled up, add up exactly", async () => {
    const anchor = newUser();
    const orders = await Promise.all(Array.from({ length: 6 }, () => refunded(anchor, 11)));
    const fans = await Promise.all(Array.from({ length: 4 }, () => funded(50)));
    const paid: number[] = [];
    await Promise.all([
      ...Array.from({ length: 30 }, async (_, at) => {
        const answer = await answerOf(payOut(anchor, 170, `mixed-${anchor}-${at}`, onEachNode(at)));
        expect(["paid", "balanceShort"]).toContain(answer);
        if (answer === "paid") paid.push(170);
      }),
      ...fans.map(async (fan) => {
        for (let sent = 0; sent < 10; sent++)
          await settle(giftOf(fan, { receiverId: anchor, price: 5, sharePercent: 33 }));
      }),
      ...orders.map(async (orderId, at) => {
        await hold(orderId, onEachNode(at));
        if (at % 2 === 0) await release(orderId, onEachNode(at + 1));
      }),
    ]);
    const paidOutPoints = paid.reduce((a, b) => a + b, 0);
    const earnedPoints = 6 * 11 * 50 + 4 * 10 * 5 * 33;
    expect(await earned(anchor, earnedPoints)).toMatchObject({
      ...{ heldBackPoints: 3 * 550, paidOutPoints, incomePoints: earnedPoints - 3 * 550 - paidOutPoints },
    });
  });
});
