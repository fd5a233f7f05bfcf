import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { operatorCalls } from "../../support/operator-calls.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { ofGift } from "./traffic.ts";

jest.setTimeout(120_000);
// Longer than a busy machine stands still: a charge that has waited for half of it is not begun.
process.env.CALL_TIMEOUT_MS = "20000";

let caller: ServiceBroker;
let next = 1000;
const newUser = () => String(9_000_000_000_000_000_000n + BigInt(next++));

beforeAll(async () => {
  await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
});
afterAll(stopAll);
afterEach(expectBooksBalanced);

const gift = (senderId: string, orderId: string, over: Partial<GiftCharge> = {}): GiftCharge => ({
  ...{ orderId, senderId, receiverId: "77", roomId: 1, giftId: 22, count: 1, price: 10, sharePercent: 50 },
  ...over,
});
const settle = async (...gifts: GiftCharge[]) => {
  const bucket = bucketOf(gifts[0]?.senderId ?? "1");
  return (await call(caller, "wallet.consumeForSendGift", { bucket, gifts })).outcomes;
};
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;

describe("wallet", () => {
  test("a user without an account has a balance of 0, and her gift is a rejected row", async () => {
    const user = newUser();
    expect(await call(caller, "wallet.balance", { userId: user })).toEqual({
      userId: user,
      balance: 0,
      debt: 0,
      totalCharged: 0,
      status: 1,
    });
    const [outcome] = await settle(gift(user, `none-${user}`));
    expect(outcome).toMatchObject({ status: "failed", reason: "balanceShort", income: 0 });
    const statement = await call(caller, "wallet.statement", { userId: user, limit: 10 });
    expect(statement.list).toMatchObject([{ num: -10, type: 0, status: 0, bizId: `none-${user}`, balanceAfter: 0 }]);
  });

  test("a paid order is credited once, however often its message is delivered", async () => {
    const user = newUser();
    const order = `order-${user}`;
    await recharge(caller, order, user, 300);
    for (let i = 0; i < 5; i++) await publish("pay.recharge", rechargeMessage(order, user, 300));
    await recharge(caller, `${order}-later`, user, 1);
    expect(await balance(user)).toBe(301);
  });

  test("200 parallel repeats of one gift over two nodes charge once and all get the same answer", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 1000);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => settle(gift(user, `gift-${user}`, { count: 3 }))),
    );
    expect(new Set(answers.flat().map((one) => JSON.stringify(ofGift(one)))).size).toBe(1);
    expect(answers[0]?.[0]).toMatchObject({ status: "succeeded", income: 15, balanceAfter: 970 });
    expect(await balance(user)).toBe(970);
  });

  test("of parallel gifts beyond the balance, as many succeed as it covers", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 95);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => settle(gift(user, `gift-${user}-${i}`))));
    expect(answers.flat().filter(({ status }) => status === "succeeded")).toHaveLength(9);
    expect(answers.flat().filter(({ reason }) => reason === "balanceShort")).toHaveLength(21);
    expect(await balance(user)).toBe(5);
  });

  test("the gifts of one call are settled in their order", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 10);
    const outcomes = await settle(gift(user, `first-${user}`), gift(user, `second-${user}`));
    expect(outcomes.map(({ status }) => status)).toEqual(["succeeded", "failed"]);
  });

  test("the same order id with another amount is a conflict and moves nothing", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 100);
    await settle(gift(user, `gift-${user}`));
    const [outcome] = await settle(gift(user, `gift-${user}`, { count: 2 }));
    expect(outcome).toMatchObject({ status: "failed", reason: "idempotencyConflict" });
    expect(await balance(user)).toBe(90);
  });

  test("amounts beyond the safe integers are refused and leave no row", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 100);
    const [outcome] = await settle(gift(user, `huge-${user}`, { price: Number.MAX_SAFE_INTEGER, count: 9999 }));
    expect(outcome).toMatchObject({ status: "failed", reason: "invalidParam" });
    expect(await rows("wallet", "SELECT * FROM t_qiyu_currency_trade WHERE biz_id = ?", [`huge-${user}`])).toEqual([]);
  });

  test.each([0, -1, 1.5, 2 ** 53])("an action call with price %p is refused at the border", async (price) => {
    const user = newUser();
    await expect(settle(gift(user, `bad-${user}`, { price }))).rejects.toMatchObject({ type: "invalidParam" });
  });

  test("a frozen account is unusable until it is unfrozen; its accepted gifts are charged; events and audit rows are written", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 100);
    const by = { userId: user, reason: "stolen card", operator: "alice" };
    expect(await call(caller, "wallet.freeze", by)).toMatchObject({ status: 2, balance: 100 });
    const [accepted] = await settle(gift(user, `frozen-${user}`));
    expect(accepted).toMatchObject({ status: "succeeded", balanceAfter: 90 });
    const nobody = newUser();
    const gifts = [user, nobody, user].map((userId, at) => ({ userId, amount: at === 2 ? 1_000 : 1 }));
    const funds = () => call(caller, "wallet.checkFunds", { gifts });
    const unusable = () => call(caller, "wallet.unusableOf", { userIds: [nobody, user] });
    expect(await funds()).toEqual({ funds: ["unusable", "short", "unusable"] });
    expect(await unusable()).toEqual({ userIds: [user] });
    await call(caller, "wallet.unfreeze", by);
    expect(await funds()).toEqual({ funds: ["enough", "short", "short"] });
    expect(await unusable()).toEqual({ userIds: [] });
    const events = await rows<{ subject: string }>(
      "wallet",
      "SELECT subject FROM t_outbox WHERE order_key = ? ORDER BY id",
      [`user:${user}`],
    );
    expect(events.map(({ subject }) => subject)).toEqual([
      "event.wallet.credited",
      "event.account.frozen",
      "event.account.unfrozen",
    ]);
    const audit = await rows(
      "wallet",
      `SELECT operator, action, outcome FROM ${operatorCalls} ORDER BY id DESC LIMIT 2`,
    );
    expect(audit).toMatchObject([
      { operator: "alice", action: "wallet.unfreeze", outcome: "succeeded" },
      { operator: "alice", action: "wallet.freeze", outcome: "succeeded" },
    ]);
    // A row for the call and one for its outcome, which names the first: no row is changed.
    const [, , started, ended] = await rows<Record<string, unknown>>(
      "wallet",
      "SELECT id, call_id, outcome, params FROM t_operator_audit ORDER BY id",
    );
    expect([started, ended]).toEqual([
      { id: expect.any(String), call_id: null, outcome: "started", params: expect.anything() },
      { id: expect.any(String), call_id: started?.id, outcome: "succeeded", params: null },
    ]);
  });

  test("a refund takes back the coins that are left; the rest is a debt that the next recharge pays off", async () => {
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 100);
    await settle(gift(user, `gift-${user}`, { count: 7 }));
    const refund = {
      orderId: `order-${user}`,
      userId: user,
      coins: 100,
      amount: 1000,
      reason: "r",
      time: new Date().toISOString(),
    };
    for (let i = 0; i < 3; i++) await publish("pay.refund", refund);
    await eventually(
      "the debt",
      async () => (await call(caller, "wallet.balance", { userId: user })).debt === 70,
      30_000,
    );
    expect(await balance(user)).toBe(0);
    await recharge(caller, `again-${user}`, user, 100);
    expect(await call(caller, "wallet.balance", { userId: user })).toMatchObject({ balance: 30, debt: 0 });
  });

  test("two nodes roll up anchors' income exactly once, and settledUpTo is the time up to which it is complete", async () => {
    const anchor = newUser();
    const users = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const user = newUser();
        await recharge(caller, `order-${user}`, user, 100);
        return user;
      }),
    );
    const before = Date.now();
    await Promise.all(
      users.flatMap((user) =>
        [0, 1, 2].map((i) => settle(gift(user, `income-${user}-${i}`, { receiverId: anchor, price: 7 }))),
      ),
    );
    const income = await eventually(
      "the income",
      async () => {
        const now = await call(caller, "wallet.income", { userId: anchor });
        return now.incomePoints >= 60 * 350 && Date.parse(now.settledUpTo) >= before ? now : undefined;
      },
      30_000,
    );
    expect(income).toMatchObject({ income: 210, incomePoints: 21_000 });
  });

  test("the statement is paged without loss or repeat", async () => {
    const user = newUser();
    for (let i = 0; i < 5; i++) await recharge(caller, `page-${user}-${i}`, user, 1);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call(caller, "wallet.statement", { userId: user, limit: 2, cursor });
      seen.push(...page.list.map(({ bizId }) => bizId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual([4, 3, 2, 1, 0].map((i) => `page-${user}-${i}`));
  });

  test("an invalid message of the payment topic goes to the dead letters and delays no other", async () => {
    const user = newUser();
    await publish("pay.recharge", { orderId: "x", userId: "nobody", coins: -5 });
    await publish("pay.recharge", "not json");
    await recharge(caller, `after-${user}`, user, 5);
    expect(await balance(user)).toBe(5);
  });

  test("without Redis the row locks decide: nothing is lost or doubled", async () => {
    const node = await startNode("wallet-3", [wallet]);
    await waitForNode(caller, "wallet", node.nodeID);
    const service = node.getLocalService("wallet") as unknown as {
      redis: { disconnect(): void };
      locks: { counters: { degraded: number } };
    };
    service.redis.disconnect();
    const user = newUser();
    await recharge(caller, `order-${user}`, user, 100);
    const options = { nodeID: node.nodeID };
    const gifts = (i: number) => ({
      bucket: bucketOf(user),
      gifts: [gift(user, `dark-${user}-${i}`), gift(user, `dark-${user}`)],
    });
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => call(caller, "wallet.consumeForSendGift", gifts(i), options)),
      ...Array.from({ length: 10 }, (_, i) => call(caller, "wallet.consumeForSendGift", gifts(i))),
    ]);
    const outcomes = answers.flatMap((answer) => answer.outcomes);
    const paid = new Set(outcomes.filter(({ status }) => status === "succeeded").map(({ orderId }) => orderId));
    expect(paid.size).toBe(10);
    expect(await balance(user)).toBe(0);
    expect(service.locks.counters.degraded).toBeGreaterThan(0);
  });

  test("a failure keeps its name between nodes", async () => {
    const error = await call(caller, "wallet.freeze", { userId: "1", reason: "", operator: "x" }).catch(
      (e: unknown) => e,
    );
    expect(failureName(error)).toBe("invalidParam");
  });
});
