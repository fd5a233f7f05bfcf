import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { config, natsPrefix } from "../../../config/config.ts";
import { namedKeysIn } from "../../../config/named-keys.ts";
import { messageSignatures } from "../../../mixins/jetstream/signatures.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { proposalSubject } from "../../../services/platform/money/order.ts";
import { orderStates } from "../../../services/platform/money/order-state.ts";
import platform from "../../../services/platform/platform.service.ts";
import { paySignatures, platformSignatures } from "../../../services/signing-keys.ts";
import { platformBizId, platformOrderSubject } from "../../../services/wallet/platform-orders.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { newKeys } from "../../support/unit-signatures.ts";
import { expectOrdersAndLedgersAgree } from "../../support/whole-books.ts";
import { giftOf, settle } from "../wallet/traffic.ts";
import { change, newKey, newUser, stateOf, tradesOf } from "./money-books.ts";

/** Coins and points that the platform orders, over two nodes of the platform service and two wallets. */

let caller: ServiceBroker;
let nodes: ServiceBroker[];
let wallets: ServiceBroker[];
let apiKey: string;
let next = 0;
const newId = () => `order-${next++}`;

const settings = { ...(platform.settings as object), ordersEveryMs: 100 } as ServiceSchema["settings"];
const startPlatform = (label: string) => startNode(label, [{ ...platform, settings }]);

beforeAll(async () => {
  wallets = await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  nodes = await Promise.all([startPlatform("platform-1"), startPlatform("platform-2")]);
  caller = await startNode("caller", []);
  for (const node of nodes) await waitForNode(caller, "platform", node.nodeID);
  for (const node of wallets) await waitForNode(caller, "wallet", node.nodeID);
  apiKey = await newKey(caller);
});
afterAll(stopAll);
afterEach(async () => {
  await expectBooksBalanced();
  await expectOrdersAndLedgersAgree();
});

const on = (at: number) => ({ nodeID: nodes[at % 2]?.nodeID });
const credit = (params: Omit<ParamsOf<"platform.credit">, "apiKey">, at = 0) =>
  call(caller, "platform.credit", { apiKey, ...params }, on(at));
const adjust = (params: Omit<ParamsOf<"platform.adjust">, "apiKey" | "reason">, at = 0) =>
  call(caller, "platform.adjust", { apiKey, reason: "a gift of the house", ...params }, on(at));
const payOut = (params: Omit<ParamsOf<"platform.payout">, "apiKey">, at = 0) =>
  call(caller, "platform.payout", { apiKey, ...params }, on(at));
const answerOf = (answer: Promise<unknown>) => answer.then(() => "done", failureName);
const balanceOf = (userId: string) => call(caller, "wallet.balance", { userId });

describe("a credit of the platform", () => {
  test("is carried out once, and 60 repeats over two nodes get one answer", async () => {
    const [userId, externalOrderId] = [newUser(), newId()];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, at) => credit({ userId, coins: 300, externalOrderId }, at)),
    );
    expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify({ userId, balanceAfter: 300 })]),
    );
    expect(await tradesOf(userId)).toEqual([[1, 300]]);
    expect(await balanceOf(userId)).toMatchObject({ balance: 300, totalCharged: 300 });
    expect(await stateOf("credit", externalOrderId)).toBe(orderStates.done);
  });

  test("with an id that has other content is a conflict, of coins or of user", async () => {
    const [userId, externalOrderId] = [newUser(), newId()];
    await credit({ userId, coins: 300, externalOrderId });
    expect(await answerOf(credit({ userId, coins: 301, externalOrderId }, 1))).toBe("idempotencyConflict");
    expect(await answerOf(credit({ userId: newUser(), coins: 300, externalOrderId }))).toBe("idempotencyConflict");
    expect(await tradesOf(userId)).toEqual([[1, 300]]);
  });

  test("keeps an id of 64 strange characters apart from its neighbours, in ledger, statement and event", async () => {
    const userId = newUser();
    const ids = [`${"~".repeat(63)}x`, `${"~".repeat(63)}X`, "a%_'\"\\;--#:"];
    for (const externalOrderId of ids) await credit({ userId, coins: 1, externalOrderId });
    const { list } = await call(caller, "wallet.statement", { userId, limit: 10 });
    expect(list.map(({ externalOrderId, orderId }) => [externalOrderId, orderId])).toEqual(
      ids.toReversed().map((id) => [id, undefined]),
    );
    const events = await rows<{ payload: string }>(
      "wallet",
      "SELECT payload FROM t_outbox WHERE subject = 'event.wallet.credited' AND order_key = ? ORDER BY id",
      [`user:${userId}`],
    );
    expect(events.map(({ payload }) => JSON.parse(payload).data)).toMatchObject(
      ids.map((externalOrderId) => ({ externalOrderId, orderId: platformBizId("credit", externalOrderId), coins: 1 })),
    );
  });

  test("pays off a debt first", async () => {
    const userId = newUser();
    await recharge(caller, `p-${userId}`, userId, 10);
    await adjust({ userId, coins: -10, writeId: newId() });
    await change("wallet", "INSERT INTO t_wallet_debt (user_id, num, biz_id) VALUES (?, 70, ?)", [
      userId,
      `refund:${userId}`,
    ]);
    await change(
      "wallet",
      "INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after) VALUES (?, -70, 2, 0, ?, 0)",
      [userId, `refund:${userId}`],
    );
    await change("wallet", "UPDATE t_qiyu_currency_account SET debt = 70 WHERE user_id = ?", [userId]);
    const id = "d".repeat(64);
    expect(await credit({ userId, coins: 100, externalOrderId: id })).toEqual({ userId, balanceAfter: 100 });
    expect(await balanceOf(userId)).toMatchObject({ balance: 30, debt: 0 });
    const { list } = await call(caller, "wallet.statement", { userId, limit: 2 });
    expect(list.map(({ num, externalOrderId, debt }) => [num, externalOrderId, debt?.change])).toEqual([
      [-70, id, -70],
      [100, id, undefined],
    ]);
    // Of the two rows of type 2 the payment of the debt is no refund, so the reconciliation does not look for its order.
    await recharge(caller, `q-${userId}`, userId, 5);
    const from = new Date(Date.now() - 60_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const refunds = (await call(caller, "wallet.refundsBetween", { from, to })).list;
    expect(refunds).toEqual([{ orderId: userId, coins: 70 }]);
  });

  test.each([0, -1, 0.5, 2 ** 53])("of %p coins is refused at the border", async (coins) => {
    expect(await answerOf(credit({ userId: newUser(), coins, externalOrderId: newId() }))).toBe("invalidParam");
  });

  test.each(["", "a b", "a\n", "x".repeat(65), "é"])(
    "with the id %j is refused at the border",
    async (externalOrderId) => {
      expect(await answerOf(credit({ userId: newUser(), coins: 1, externalOrderId }))).toBe("invalidParam");
    },
  );
});

describe("an adjustment", () => {
  test("gives and takes coins, once for each write, and total_charged stays", async () => {
    const userId = newUser();
    const [give, take] = [newId(), newId()];
    for (const at of [0, 1]) {
      expect(await adjust({ userId, coins: 50, writeId: give }, at)).toEqual({ userId, balanceAfter: 50 });
      expect(await adjust({ userId, coins: -20, writeId: take }, at)).toEqual({ userId, balanceAfter: 30 });
    }
    expect(await tradesOf(userId)).toEqual([
      [3, 50],
      [3, -20],
    ]);
    expect(await balanceOf(userId)).toMatchObject({ balance: 30, totalCharged: 0 });
  });

  test("below zero is refused for ever, also when the balance would suffice later", async () => {
    const [userId, writeId] = [newUser(), newId()];
    expect(await answerOf(adjust({ userId, coins: -5, writeId }))).toBe("balanceShort");
    await credit({ userId, coins: 10, externalOrderId: newId() });
    expect(await answerOf(adjust({ userId, coins: -5, writeId }, 1))).toBe("balanceShort");
    expect(await balanceOf(userId)).toMatchObject({ balance: 10 });
    expect(await stateOf("adjust", writeId)).toBe(orderStates.refused);
  });

  test("of 0 coins is refused at the border", async () => {
    expect(await answerOf(adjust({ userId: newUser(), coins: 0, writeId: newId() }))).toBe("invalidParam");
  });
});

describe("a payout of the platform", () => {
  test("takes free income once; one beyond it is refused for ever; an operator's of the same name is another one", async () => {
    const [fan, anchor, payoutId] = [newUser(), newUser(), newId()];
    await credit({ userId: fan, coins: 100, externalOrderId: newId() });
    await settle(caller, [giftOf(fan, { receiverId: anchor })]);
    await eventually(
      "the income",
      async () => (await call(caller, "wallet.income", { userId: anchor })).earnedPoints === 500,
    );
    expect(await answerOf(payOut({ userId: anchor, points: 501, payoutId: newId() }))).toBe("balanceShort");
    const params = { userId: anchor, points: 300, payoutId };
    for (const at of [0, 1, 0]) expect(await payOut(params, at)).toEqual({ userId: anchor });
    expect(await answerOf(payOut({ ...params, points: 100 }))).toBe("idempotencyConflict");
    await call(caller, "wallet.payout", { ...params, points: 100, operator: "alice" });
    expect(await call(caller, "wallet.income", { userId: anchor })).toMatchObject({
      paidOutPoints: 400,
      incomePoints: 100,
    });
  });
});

describe("a key", () => {
  test("without the scope, unknown, revoked or made up moves nothing, whatever the gateway let through", async () => {
    const params = { userId: newUser(), coins: 5, externalOrderId: newId() };
    const answer = (key: string) => answerOf(call(caller, "platform.credit", { ...params, apiKey: key }));
    const other = await newKey(caller, ["wallet:adjust", "wallet:read"]);
    expect(await answer(other)).toBe("scopeMissing");
    expect(await answer(`${apiKey.slice(0, -1)}${apiKey.endsWith("A") ? "B" : "A"}`)).toBe("notLoggedIn");
    expect(await answer("ovk_none")).toBe("notLoggedIn");
    const revoked = await newKey(caller);
    await call(caller, "platform.revokeKey", { keyId: revoked.split("_")[1] as string, operator: "alice" });
    expect(await answer(revoked)).toBe("notLoggedIn");
    expect(await tradesOf(params.userId)).toEqual([]);
  });
});

describe("four eyes", () => {
  const bound = 10_000;

  test("an adjustment beyond the bound moves nothing and is a proposal; both signs of a day are added up", async () => {
    const userId = newUser();
    await credit({ userId, coins: 50_000, externalOrderId: newId() });
    const writeId = newId();
    const answer = await adjust({ userId, coins: bound + 1, writeId });
    expect(answer).toEqual({ userId, proposalId: expect.stringMatching(/^\d+$/), state: "proposed" });
    expect(await adjust({ userId, coins: bound + 1, writeId }, 1)).toEqual(answer);
    // What is proposed does not count, nor what was refused.
    await adjust({ userId, coins: 6_000, writeId: newId() });
    expect(await answerOf(adjust({ userId: newUser(), coins: -4_000, writeId: newId() }))).toBe("balanceShort");
    await adjust({ userId, coins: -4_000, writeId: newId() });
    expect(await adjust({ userId, coins: 1, writeId: newId() })).toHaveProperty("proposalId");
    expect(await balanceOf(userId)).toMatchObject({ balance: 52_000 });
    const { list } = await call(caller, "platform.proposals", { limit: 2 });
    expect(list).toMatchObject([
      { userId, coins: 1, state: "proposed", keyId: apiKey.split("_")[1] },
      { userId, coins: bound + 1, state: "proposed", reason: "a gift of the house", decidedBy: null },
    ]);
    const left = Date.parse(list[0]?.expiresTime as string) - Date.parse(list[0]?.createTime as string);
    expect(Math.round(left / 3_600_000)).toBe(72);
  });

  test("what was adjusted more than a day ago does not count", async () => {
    const [userId, writeId] = [newUser(), newId()];
    await adjust({ userId, coins: bound, writeId });
    await change(
      "platform",
      "UPDATE t_money_order SET create_time = create_time - INTERVAL 86401 SECOND WHERE biz_id = ?",
      [platformBizId("adjust", writeId)],
    );
    expect(await adjust({ userId, coins: bound, writeId: newId() })).toEqual({ userId, balanceAfter: 2 * bound });
    await change(
      "platform",
      "UPDATE t_money_order SET create_time = create_time + INTERVAL 86401 SECOND WHERE biz_id = ?",
      [platformBizId("adjust", writeId)],
    );
  });

  test("of adjustments at once on two nodes, no more go through than the bound allows", async () => {
    const userId = newUser();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => adjust({ userId, coins: 2_600, writeId: newId() }, at)),
    );
    expect(answers.filter((one) => "balanceAfter" in one)).toHaveLength(3);
    expect(await balanceOf(userId)).toMatchObject({ balance: 7_800 });
    // Each changed the account's row, which is what several primaries compare.
    expect(
      await rows("platform", "SELECT CAST(decisions AS CHAR) AS decisions FROM t_money_account WHERE user_id = ?", [
        userId,
      ]),
    ).toEqual([{ decisions: "12" }]);
  });

  test("a proposal that somebody made pending in the database is never carried out", async () => {
    const [userId, writeId] = [newUser(), newId()];
    await adjust({ userId, coins: 20_000, writeId });
    const id = platformBizId("adjust", writeId);
    const error = jest.spyOn(nodes[0]?.logger as never, "error" as never);
    await change(
      "platform",
      "UPDATE t_money_state SET state = 1, next_try_time = UTC_TIMESTAMP(3) WHERE order_id = (SELECT id FROM t_money_order WHERE biz_id = ?)",
      [id],
    );
    await eventually("a try of it", async () => {
      const [row] = await rows<{ tries: number }>(
        "platform",
        "SELECT tries FROM t_money_state WHERE order_id = (SELECT id FROM t_money_order WHERE biz_id = ?)",
        [id],
      );
      return Number(row?.tries) > 0;
    });
    expect(await answerOf(adjust({ userId, coins: 20_000, writeId }))).toBe("unavailable");
    expect(await tradesOf(userId)).toEqual([]);
    error.mockRestore();
    await change(
      "platform",
      "UPDATE t_money_state SET state = 4 WHERE order_id = (SELECT id FROM t_money_order WHERE biz_id = ?)",
      [id],
    );
  });

  test("a proposal expires when nobody decides, and its write tells so", async () => {
    const [userId, writeId] = [newUser(), newId()];
    const answer = await adjust({ userId, coins: 20_000, writeId });
    await change(
      "platform",
      "UPDATE t_money_state SET expires_time = UTC_TIMESTAMP(3) WHERE order_id = (SELECT id FROM t_money_order WHERE biz_id = ?)",
      [platformBizId("adjust", writeId)],
    );
    await eventually("it has expired", async () => (await stateOf("adjust", writeId)) === orderStates.expired);
    expect(await adjust({ userId, coins: 20_000, writeId })).toEqual({ ...answer, state: "expired" });
    const { list } = await call(caller, "platform.proposals", { open: true, limit: 100 });
    expect(list.filter((one) => one.userId === userId)).toEqual([]);
    expect(await tradesOf(userId)).toEqual([]);
  });
});

describe("an order that the wallet gets past the platform service", () => {
  const orderOf = (userId: string, id: string) => ({ kind: "credit", id, userId, coins: 5 });
  const send = (userId: string, order: string) =>
    answerOf(call(caller, "wallet.platformOrder", { bucket: bucketOf(userId), order }));
  const refused = (reason: string) =>
    wallets
      .flatMap(
        (node) =>
          node.metrics.list({ includes: "ovation.wallet.orders.forged" }) as unknown as {
            values: { value: number; labels: object }[];
          }[],
      )
      .flatMap(({ values }) => values)
      .filter(({ labels }) => JSON.stringify(labels).includes(`"${reason}"`))
      .reduce((sum, { value }) => sum + value, 0);
  const by = (keys: string, over: { namespace?: string; signer?: string } = {}) =>
    messageSignatures({
      ...{ setting: "PLATFORM_KEYS", keys: namedKeysIn(keys), signer: "platform" },
      ...{ namespace: config().NAMESPACE, prefix: natsPrefix(), ...over },
    });
  const own = () => process.env.PLATFORM_KEYS as string;

  test.each<[what: string, reason: string, sign: (text: string) => string]>([
    ["without a signature", "unsigned", (text) => text],
    ["that is no JSON", "unsigned", () => "credit 5"],
    ["signed with a key of nobody", "unknownKey", (text) => by(newKeys("who")).sign(platformOrderSubject, text)],
    [
      "signed with another secret under the key's name",
      "unknownKey",
      (text) => by(newKeys("tests")).sign(platformOrderSubject, text),
    ],
    ["signed by payment", "unknownKey", (text) => paySignatures().sign(platformOrderSubject, text)],
    [
      "of another namespace",
      "wrongSignature",
      (text) => by(own(), { namespace: "other" }).sign(platformOrderSubject, text),
    ],
    [
      "of another signer",
      "wrongSignature",
      (text) => by(own(), { signer: "payment" }).sign(platformOrderSubject, text),
    ],
    ["that is a proposal", "wrongSignature", (text) => platformSignatures().sign(proposalSubject, text)],
    [
      "that was changed",
      "wrongSignature",
      (text) => platformSignatures().sign(platformOrderSubject, text).replace('"coins":5', '"coins":6'),
    ],
    [
      "signed, of an unknown kind",
      "unreadable",
      () => platformSignatures().sign(platformOrderSubject, '{"kind":"gift"}'),
    ],
  ])("%s is refused as forged, counted, and moves nothing", async (_what, reason, sign) => {
    const userId = newUser();
    const before = refused(reason);
    expect(await send(userId, sign(JSON.stringify(orderOf(userId, newId()))))).toBe("orderForged");
    expect(refused(reason)).toBe(before + 1);
    expect(await tradesOf(userId)).toEqual([]);
  });

  test("is a replay and moves nothing again", async () => {
    const [userId, externalOrderId] = [newUser(), newId()];
    await credit({ userId, coins: 5, externalOrderId });
    const [row] = await rows<{ signed_order: string }>(
      "platform",
      "SELECT signed_order FROM t_money_order WHERE biz_id = ?",
      [platformBizId("credit", externalOrderId)],
    );
    for (let i = 0; i < 3; i++) expect(await send(userId, row?.signed_order as string)).toBe("done");
    expect(await tradesOf(userId)).toEqual([[1, 5]]);
  });
});

describe("while the wallet is away", () => {
  test("an order is 503 and stands; it is carried out when the wallet is back, also where nobody repeats it", async () => {
    const [userId, asked, forgotten] = [newUser(), newId(), newId()];
    for (const node of wallets) await stopNode(node);
    const failed = await credit({ userId, coins: 5, externalOrderId: asked }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ type: "unavailable", data: { ordered: true } });
    expect(await answerOf(credit({ userId, coins: 7, externalOrderId: forgotten }, 1))).toBe("unavailable");
    await change("platform", "UPDATE t_money_state SET next_try_time = UTC_TIMESTAMP(3) WHERE state = 1");
    wallets = [await startNode("wallet-3", [wallet])];
    await waitForNode(caller, "wallet", wallets[0]?.nodeID as string);
    await eventually("both are carried out", async () => (await balanceOf(userId)).balance === 12, 20_000);
    expect(await credit({ userId, coins: 5, externalOrderId: asked })).toMatchObject({ userId });
    expect((await tradesOf(userId)).map(([, num]) => num).sort()).toEqual([5, 7]);
  });
});
