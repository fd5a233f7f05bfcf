import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { failureName } from "../../../broker/failure.ts";
import { jsonBytes } from "../../../broker/parts.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { call, type ResultOf } from "../../../services/contracts.ts";
import type { AffectedIncome } from "../../../services/wallet/income.contract.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { untilUserWaits } from "../../support/lock-waits.ts";
import { operatorCalls } from "../../support/operator-calls.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
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
const newUser = () => String(9_300_000_000_000_000_000n + BigInt(next++));

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

const settle = (...gifts: GiftCharge[]) => settleOn(caller, gifts);
const operator = "alice";
const affected = (orderId: string, limit = 100, cursor?: string) =>
  call(caller, "wallet.affectedGifts", { orderId, limit, cursor, operator });
const hold = (orderId: string, anchorId?: string, from = caller) =>
  call(from, "wallet.holdIncome", { orderId, anchorId, reason: "chargeback", operator });
const release = (orderId: string, anchorId?: string) =>
  call(caller, "wallet.releaseHold", { orderId, anchorId, reason: "paid after all", operator });
const income = (userId: string) => call(caller, "wallet.income", { userId });
const failureOf = (promise: Promise<unknown>) => promise.then(() => "none", failureName);
const states = ({ anchors }: AffectedIncome) => anchors.map(({ anchorId, state }) => [anchorId, state]);

async function refund(orderId: string, userId: string, coins: number): Promise<void> {
  const message = { orderId, userId, coins, amount: coins * 10, reason: "r", time: new Date().toISOString() };
  await publish("pay.refund", message, `pay.refund:${orderId}`);
  await eventually(
    `the refund of ${orderId}`,
    async () => {
      const found = "SELECT id FROM t_qiyu_currency_trade WHERE biz_id = ?";
      return (await rows("wallet", found, [`refund:${orderId}`])).length === 1;
    },
    30_000,
  );
}

/** The anchor's income once everything is rolled up. */
const settledIncome = (anchorId: string, earned: number) =>
  eventually(
    `${earned} earned`,
    async () => {
      const now = await income(anchorId);
      return now.earned === earned ? now : undefined;
    },
    30_000,
  );

/** A payer whose order of 100 coins is refunded after she gave 30 to one anchor and 41 to another. */
async function scene(): Promise<{ payer: string; order: string; first: string; second: string }> {
  const [payer, first, second] = [newUser(), newUser(), newUser()] as [string, string, string];
  const order = `order-${payer}`;
  await recharge(caller, order, payer, 100);
  await settle(
    giftOf(payer, { orderId: `a-${payer}`, receiverId: first, price: 30 }),
    giftOf(payer, { orderId: `b-${payer}`, receiverId: second, price: 41 }),
  );
  await refund(order, payer, 100);
  return { payer, order, first, second };
}

describe("the gifts of a refund's missing coins", () => {
  test("are listed newest first, with the anchors' shares", async () => {
    const { payer, order, first, second } = await scene();
    expect(await affected(order)).toEqual({
      ...{ orderId: order, userId: payer, taken: 29, shortfall: 71, owing: 71, paidOff: [], uncovered: 0 },
      time: expect.stringMatching(/^20/),
      ...{ anchorCount: 2, paidOffCount: 0, shares: { open: 2, held: 0, released: 0 } },
      anchors: [
        { anchorId: first, gifts: 1, coins: 30, share: 15, sharePoints: 1_500, state: "open" },
        { anchorId: second, gifts: 1, coins: 41, share: 20, sharePoints: 2_050, state: "open" },
      ],
      gifts: [
        {
          ...{ orderId: `b-${payer}`, anchorId: second, price: 41, coins: 41, share: 20, sharePoints: 2_050 },
          time: expect.anything(),
        },
        {
          ...{ orderId: `a-${payer}`, anchorId: first, price: 30, coins: 30, share: 15, sharePoints: 1_500 },
          time: expect.anything(),
        },
      ],
      nextCursor: null,
    });
    const page = await affected(order, 1);
    expect(page.gifts.map((gift) => gift.orderId)).toEqual([`b-${payer}`]);
    const rest = await affected(order, 1, page.nextCursor as string);
    expect([rest.gifts.map((gift) => gift.orderId), rest.nextCursor]).toEqual([[`a-${payer}`], null]);
    const [audit] = await rows("wallet", `SELECT action, outcome FROM ${operatorCalls} ORDER BY id DESC LIMIT 1`);
    expect(audit).toEqual({ action: "wallet.affectedGifts", outcome: "succeeded" });
  });

  test("stay the same after later gifts, refunds and recharges; what those paid off is shown", async () => {
    const { payer, order, first, second } = await scene();
    const before = await affected(order);
    const later = `later-${payer}`;
    await recharge(caller, later, payer, 100);
    await settle(giftOf(payer, { orderId: `c-${payer}`, receiverId: first, price: 20 }));
    await refund(later, payer, 100);
    expect(await affected(order)).toEqual({ ...before, owing: 0 });
    // 71 of the later order's coins paid the debt of the first order off: that order's gifts were paid with them.
    expect(await affected(later)).toMatchObject({
      ...{ taken: 9, shortfall: 91, owing: 91, uncovered: 71, paidOff: [{ orderId: order, coins: 71 }] },
      anchors: [{ anchorId: first, coins: 20, share: 10 }],
    });
    await Promise.all([hold(order), hold(later)]);
    expect(await settledIncome(first, 25)).toMatchObject({ income: 0, heldBack: 25 });
    expect(await settledIncome(second, 20)).toMatchObject({ income: 0, heldBack: 20 });
  });

  test("are none where all coins were left, and where the refund came before the credit", async () => {
    const payer = newUser();
    const [whole, early] = [`whole-${payer}`, `early-${payer}`];
    await recharge(caller, whole, payer, 50);
    await recharge(caller, `spent-${payer}`, payer, 10);
    await settle(giftOf(payer, { price: 10 }));
    await refund(whole, payer, 50);
    await refund(early, payer, 40);
    await publish("pay.recharge", rechargeMessage(early, payer, 40));
    await eventually(
      "the debt is paid off by the order's own coins",
      async () => {
        const { debt, totalCharged } = await call(caller, "wallet.balance", { userId: payer });
        return totalCharged === 100 && debt === 0;
      },
      30_000,
    );
    for (const order of [whole, early]) {
      expect(await affected(order)).toMatchObject({ shortfall: 0, owing: 0, uncovered: 0, anchors: [], gifts: [] });
      expect(await failureOf(hold(order))).toBe("holdState");
    }
    // A refund that found nothing spent claims no later gift.
    await refund(`spent-${payer}`, payer, 10);
    expect(await affected(`spent-${payer}`)).toMatchObject({ shortfall: 10, uncovered: 0, anchors: [{ coins: 10 }] });
  });

  test("fail with refundUnknown for an order without a refund", async () => {
    const payer = newUser();
    await recharge(caller, `kept-${payer}`, payer, 10);
    for (const order of [`kept-${payer}`, "no-such-order"]) {
      expect(await failureOf(affected(order))).toBe("refundUnknown");
      expect(await failureOf(hold(order))).toBe("refundUnknown");
      expect(await failureOf(release(order))).toBe("refundUnknown");
    }
  });
});

describe("an operator's decision", () => {
  test("holds an anchor's share back once, however often and on however many nodes it is made at once", async () => {
    const { order, first, second } = await scene();
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, at) => hold(order, at % 3 === 0 ? first : undefined, nodes[at % 2])),
    );
    for (const answer of answers) expect(states(answer)).toContainEqual([first, "held"]);
    expect(states(await affected(order))).toEqual([
      [first, "held"],
      [second, "held"],
    ]);
    const held = await rows("wallet", "SELECT biz_id, points FROM t_income_posting WHERE order_id = ? ORDER BY id", [
      order,
    ]);
    expect(held).toHaveLength(2);
    expect(held).toEqual(
      expect.arrayContaining([
        { biz_id: `hold:${order}:${first}`, points: "-1500" },
        { biz_id: `hold:${order}:${second}`, points: "-2050" },
      ]),
    );
    expect(await settledIncome(first, 15)).toMatchObject({ income: 0, heldBack: 15 });
    const events = await rows<{ subject: string }>("wallet", "SELECT subject FROM t_outbox WHERE order_key IN (?)", [
      [`user:${first}`, `user:${second}`],
    ]);
    expect(events.map(({ subject }) => subject)).toEqual(["event.income.held", "event.income.held"]);
  });

  test("about one anchor does not change the shares of the others", async () => {
    const { order, first, second } = await scene();
    expect(states(await hold(order, second))).toEqual([
      [first, "open"],
      [second, "held"],
    ]);
    expect(await settledIncome(first, 15)).toMatchObject({ income: 15, heldBack: 0 });
    expect(await settledIncome(second, 20)).toMatchObject({ income: 0, heldBack: 20 });
    expect(await failureOf(hold(order, newUser()))).toBe("holdState");
  });

  test("to release gives the share back once and for ever: a late repeat of the hold takes nothing", async () => {
    const { order, first, second } = await scene();
    expect(await failureOf(release(order))).toBe("holdState");
    await hold(order);
    await Promise.all(Array.from({ length: 12 }, () => release(order, first)));
    expect(await settledIncome(first, 15)).toMatchObject({ income: 15, heldBack: 0 });
    expect(states(await hold(order))).toEqual([
      [first, "released"],
      [second, "held"],
    ]);
    expect(await failureOf(hold(order, first))).toBe("holdState");
    expect(await income(first)).toMatchObject({ income: 15, heldBack: 0 });
    expect(
      await rows("wallet", "SELECT id FROM t_income_posting WHERE anchor_id = ? AND kind <> 0", [first]),
    ).toHaveLength(2);
  });

  test("to hold and to release at once ends in one of the two states, and the share is counted once", async () => {
    const { order, first } = await scene();
    const decisions = Array.from({ length: 20 }, (_, at) =>
      at % 2 === 0 ? hold(order, first) : release(order, first),
    );
    const failures = await Promise.all(decisions.map(failureOf));
    expect(failures.filter((name) => name !== "none" && name !== "holdState")).toEqual([]);
    const { heldBack, income: left } = await settledIncome(first, 15);
    expect([heldBack, left]).toEqual(states(await affected(order))[0]?.[1] === "held" ? [15, 0] : [0, 15]);
  });

  test("is exact while gifts of others are settled and rolled up", async () => {
    const { order, first } = await scene();
    const fans = await Promise.all(Array.from({ length: 10 }, () => funded(100)));
    let looking = true;
    const seen: number[] = [];
    const looks = (async () => {
      while (looking) seen.push((await income(first)).income);
    })();
    await Promise.all([
      ...fans.map(async (fan) => {
        for (let sent = 0; sent < 10; sent++) await settle(giftOf(fan, { receiverId: first, price: 10 }));
      }),
      ...Array.from({ length: 5 }, () => hold(order, first)),
    ]);
    const settled = await settledIncome(first, 15 + 10 * 10 * 5);
    looking = false;
    await looks;
    expect(settled).toMatchObject({ income: 500, heldBack: 15 });
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
  });

  test.each<[string, { at: string; after?: string; how: "reply lost" | "half sent" }]>([
    ["in the middle of the gifts", { at: "INSERT INTO t_income_hold_gift", how: "half sent" }],
    [
      "between the share and its gifts",
      { at: "INSERT INTO t_income_posting (anchor_id, kind, points, status", how: "reply lost" },
    ],
    [
      "before the answer to COMMIT",
      { after: "INSERT INTO t_income_posting (anchor_id, kind, points, status", at: "COMMIT", how: "reply lost" },
    ],
  ])(
    "whose connection breaks %s is made whole or not at all, and once when it is made again",
    async (_where, fault) => {
      const { order, first, second } = await scene();
      // The roll-up writes postings too.
      await settledIncome(first, 15);
      const broke = wire.breakOnce(fault);
      expect(await failureOf(hold(order))).toBe("unavailable");
      await broke;
      const written = await rows("wallet", "SELECT id FROM t_income_posting WHERE order_id = ?", [order]);
      expect(written).toHaveLength(fault.at === "COMMIT" ? 2 : 0);
      expect(states(await hold(order))).toEqual([
        [first, "held"],
        [second, "held"],
      ]);
      expect(await settledIncome(second, 20)).toMatchObject({ income: 0, heldBack: 20 });
      const events = await rows("wallet", "SELECT id FROM t_outbox WHERE order_key = ?", [`user:${second}`]);
      expect(events).toHaveLength(1);
    },
  );

  test("is made on the state after a concurrent decision is committed", async () => {
    const { payer, order, first, second } = await scene();
    await other.beginTransaction();
    await other.query("SELECT user_id FROM t_qiyu_currency_account WHERE user_id = ? FOR UPDATE", [payer]);
    await other.query(
      `INSERT INTO t_anchor_income (user_id, held_points) VALUES (?, 2050)
       ON DUPLICATE KEY UPDATE held_points = held_points + 2050`,
      [second],
    );
    await other.query(
      `INSERT INTO t_income_posting (anchor_id, kind, points, biz_id, order_id, reason)
       VALUES (?, 1, -2050, ?, ?, 'other')`,
      [second, `hold:${order}:${second}`, order],
    );
    const waiting = hold(order);
    await untilUserWaits(other, payer);
    await other.query(
      "INSERT INTO t_income_hold_gift (hold_biz_id, gift_biz_id, coins_from, coins, points) SELECT ?, biz_id, 0, 41, 2050 FROM t_qiyu_currency_trade WHERE counterparty_id = ?",
      [`hold:${order}:${second}`, second],
    );
    await other.commit();
    expect(states(await waiting)).toEqual([
      [first, "held"],
      [second, "held"],
    ]);
  });

  test("about more gifts than fit into one statement or page covers all of them", async () => {
    const [payer, anchor] = [newUser(), newUser()];
    const order = `order-${payer}`;
    await recharge(caller, order, payer, 2_400);
    const gifts = Array.from({ length: 1_200 }, () => giftOf(payer, { receiverId: anchor, price: 2 }));
    for (let from = 0; from < gifts.length; from += 400) await settle(...gifts.slice(from, from + 400));
    await refund(order, payer, 2_400);
    expect(await hold(order)).toMatchObject({
      shortfall: 2_400,
      uncovered: 0,
      anchors: [{ gifts: 1_200, share: 1_200 }],
    });
    expect(await settledIncome(anchor, 1_200)).toMatchObject({ income: 0, heldBack: 1_200 });
  });

  test("before the roll-up of the gift leaves the income below zero until the roll-up, and exact afterwards", async () => {
    const [payer, anchor] = [newUser(), newUser()];
    const order = `order-${payer}`;
    await recharge(caller, order, payer, 100);
    // No node is left to roll up until another one starts.
    for (const node of nodes) await walletOn(node).incomeRollups[0]?.stop();
    await settle(giftOf(payer, { receiverId: anchor, price: 80 }));
    await refund(order, payer, 100);
    await hold(order);
    expect(await income(anchor)).toMatchObject({ income: -40, incomePoints: -4_000, earned: 0, heldBack: 40 });
    await startWallet("wallet-3");
    expect(await settledIncome(anchor, 40)).toMatchObject({ income: 0, earned: 40, heldBack: 40 });
    await settle(giftOf(await funded(10), { receiverId: anchor, price: 10 }));
    expect(await settledIncome(anchor, 45)).toMatchObject({ income: 5, heldBack: 40 });
  });
});

describe("a refund whose coins went to thousands of anchors", () => {
  test("is held and released exactly, in few statements; an anchor without a row stops a release", async () => {
    const payer = newUser();
    const order = `order-${payer}`;
    const anchors = Array.from({ length: 3_000 }, newUser);
    await recharge(caller, order, payer, anchors.length);
    const gifts = anchors.map((receiverId) => giftOf(payer, { receiverId, price: 1 }));
    for (let from = 0; from < gifts.length; from += 1_500) await settle(...gifts.slice(from, from + 1_500));
    await refund(order, payer, anchors.length);
    const held = "SELECT COUNT(*) AS anchors, SUM(held_points) AS points FROM t_anchor_income WHERE user_id IN (?)";
    // The one way of all statements to the driver.
    const sent = nodes.map((node) => jest.spyOn(walletOn(node).mysql as unknown as { send(): void }, "send"));
    const count = () => sent.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const statementsOf = async (work: () => Promise<unknown>) => {
      const before = count();
      await work();
      return count() - before;
    };
    expect(await statementsOf(() => hold(order))).toBeLessThan(300);
    expect(await rows("wallet", held, [anchors])).toEqual([{ anchors: "3000", points: "150000" }]);
    await eventually(
      "all is rolled up",
      async () => (await income(anchors.at(-1) as string)).earnedPoints === 50,
      30_000,
    );
    const [first] = anchors;
    await other.query("UPDATE t_anchor_income SET user_id = 8 WHERE user_id = ?", [first]);
    expect(await failureOf(release(order))).toBeUndefined();
    await other.query("UPDATE t_anchor_income SET user_id = ? WHERE user_id = 8", [first]);
    expect(await rows("wallet", held, [anchors])).toEqual([{ anchors: "3000", points: "150000" }]);
    expect(await statementsOf(() => release(order))).toBeLessThan(300);
    expect(await rows("wallet", held, [anchors])).toEqual([{ anchors: "3000", points: "0" }]);
    const events = "SELECT COUNT(*) AS number FROM t_outbox WHERE msg_id LIKE ?";
    for (const name of ["held", "released"])
      expect(await rows("wallet", events, [`%income.${name}:${order}:%`])).toEqual([{ number: "3000" }]);
    for (const spy of sent) spy.mockRestore();
  });
});

async function funded(coins: number): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

describe("the statement", () => {
  test("shows what a refund could not take back and what later recharges paid off, by order", async () => {
    const { payer, order } = await scene();
    await recharge(caller, `next-${payer}`, payer, 50);
    await recharge(caller, `last-${payer}`, payer, 50);
    const { list } = await call(caller, "wallet.statement", { userId: payer, limit: 100 });
    const row = (num: number, type: number, bizId: string, balanceAfter: number, more: object = {}) => ({
      ...{ num, type, bizId, balanceAfter, status: 1, id: expect.anything(), createTime: expect.anything() },
      ...more,
    });
    const of = (orderId: string, change?: number, after?: number, coins?: number) => ({
      orderId,
      ...(change && { debt: { change, after, orders: [{ orderId: order, coins }] } }),
    });
    expect(list).toEqual([
      row(-21, 2, `debt:last-${payer}`, 29, of(`last-${payer}`, -21, 0, 21)),
      row(50, 1, `last-${payer}`, 50, of(`last-${payer}`)),
      row(-50, 2, `debt:next-${payer}`, 0, of(`next-${payer}`, -50, 21, 50)),
      row(50, 1, `next-${payer}`, 50, of(`next-${payer}`)),
      row(-29, 2, `refund:${order}`, 0, of(order, 71, 71, 71)),
      row(-41, 0, `b-${payer}`, 29),
      row(-30, 0, `a-${payer}`, 70),
      row(100, 1, order, 100, of(order)),
    ]);
  });

  test("has one row for a refund that could take nothing back, however often it is repeated, and complete pages", async () => {
    const [payer, anchor] = [newUser(), newUser()];
    const order = `order-${payer}`;
    await recharge(caller, order, payer, 100);
    await settle(giftOf(payer, { receiverId: anchor, price: 100 }));
    await refund(order, payer, 100);
    for (let time = 0; time < 3; time++)
      await publish("pay.refund", { orderId: order, userId: payer, coins: 100, amount: 1, reason: "r", time: "t" });
    await recharge(caller, `next-${payer}`, payer, 130);
    const seen: { num: number; status: number; debt?: { change: number } }[] = [];
    let cursor: string | undefined;
    do {
      const page = await call(caller, "wallet.statement", { userId: payer, limit: 1, cursor });
      seen.push(...page.list);
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen.map(({ num, status, debt }) => [num, status, debt?.change])).toEqual([
      [-100, 1, -100],
      [130, 1, undefined],
      [-100, 0, 100],
      [-100, 1, undefined],
      [100, 1, undefined],
    ]);
    const valid = seen.filter(({ status }) => status === 1).reduce((sum, { num }) => sum + num, 0);
    expect(await call(caller, "wallet.balance", { userId: payer })).toMatchObject({ balance: valid, debt: 0 });
  });

  test("more credits of a day than a message carries come in portions, each once", async () => {
    const day = { from: "2020-03-01T00:00:00.000Z", to: "2020-03-02T00:00:00.000Z" };
    const many = Array.from({ length: 9_000 }, (_, n) => [
      9,
      1,
      1,
      1,
      `many-${n}-`.padEnd(80, "x"),
      0,
      "2020-03-01 12:00:00",
    ]);
    await other.query(
      `INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after, create_time) VALUES ?`,
      [many],
    );
    try {
      const seen: string[] = [];
      for (let cursor: string | undefined | null; cursor !== null; ) {
        const params = { ...day, ...(cursor ? { cursor } : {}) };
        const portion: ResultOf<"wallet.creditsBetween"> = await call(caller, "wallet.creditsBetween", params);
        expect(jsonBytes(portion.list)).toBeLessThanOrEqual(limits.bus.listBytes);
        seen.push(...portion.list.map(({ orderId }) => orderId));
        cursor = portion.nextCursor;
      }
      expect(seen).toEqual(many.map((row) => row[4]));
    } finally {
      await other.query("DELETE FROM t_qiyu_currency_trade WHERE user_id = 9");
    }
  });
});
