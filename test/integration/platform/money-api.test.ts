import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { type ApiScope, apiScopes } from "../../../services/api-scopes.ts";
import { call } from "../../../services/contracts.ts";
import platform from "../../../services/platform/platform.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { expectOrdersAndLedgersAgree } from "../../support/whole-books.ts";
import { answers, forget, neighbourNames, send, startGateway, startNeighbours } from "../api-gateway/neighbours.ts";
import { change, newKey, newUser, stateOf, tradesOf } from "./money-books.ts";

/** wallet/credit, adjust and payout over two gateways, two platform nodes and a wallet. */

jest.setTimeout(60_000);

let bases: string[];
let walletNode: ServiceBroker;
let caller: ServiceBroker;
let key: string;

beforeAll(async () => {
  const platforms = [await startNode("platform-1", [platform]), await startNode("platform-2", [platform])];
  walletNode = await startNode("wallet-1", [wallet]);
  await startNeighbours(neighbourNames.filter((name) => name !== "platform" && name !== "wallet"));
  const gateways = [await startGateway(), await startGateway()];
  bases = gateways.map(({ base }) => base);
  caller = await startNode("caller", []);
  for (const { nodeID } of platforms)
    for (const broker of [caller, ...gateways.map((one) => one.broker)]) await waitForNode(broker, "platform", nodeID);
  for (const { nodeID } of platforms) await waitForNode(caller, "platform", nodeID);
  await waitForNode(caller, "wallet", walletNode.nodeID);
  for (const { broker } of gateways) await broker.waitForServices("platform");
  key = await newKey(caller, [...apiScopes]);
});
afterAll(async () => {
  try {
    await expectBooksBalanced();
    await expectOrdersAndLedgersAgree();
  } finally {
    await stopAll();
  }
});

const newId = () => `write-${randomUUID()}`;
const post = (
  path: string,
  body: object,
  { id = newId(), at = 0, by = key }: { id?: string; at?: number; by?: string } = {},
) =>
  send(`${bases[at % 2]}/live/server/v1/wallet/${path}`, {
    body,
    headers: { Authorization: `Bearer ${by}`, "Idempotency-Key": id },
  });

/** A user in an answer, with the external id that the neighbours give. */
const shown = (userId: string) => ({ userId, externalId: `u-${userId}` });

test("a credit is made once for its order id, under one idempotency key or many, at both gateways at once", async () => {
  const userId = newUser();
  const body = { userId, coins: 40, externalOrderId: "shop-1" };
  const one = newId();
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, at) => post("credit", body, { at, id: at < 8 ? one : newId() })),
  );
  expect(answers.map(({ status, data }) => ({ status, data }))).toEqual(
    answers.map(() => ({ status: 200, data: { ...shown(userId), balanceAfter: 40 } })),
  );
  expect(await tradesOf(userId)).toEqual([[1, 40]]);
  expect(await post("credit", { ...body, coins: 41 })).toMatchObject({ status: 200, code: 10011 });
});

test("an adjustment is made once for its idempotency key; beyond the bound it answers a proposal", async () => {
  const userId = newUser();
  const id = newId();
  const body = { userId, coins: 25, reason: "festival" };
  for (const at of [0, 1])
    expect((await post("adjust", body, { id, at })).data).toEqual({ ...shown(userId), balanceAfter: 25 });
  expect((await post("adjust", body)).data).toEqual({ ...shown(userId), balanceAfter: 50 });
  expect(await post("adjust", { ...body, coins: -51 })).toMatchObject({ status: 200, code: 10010 });
  const proposed = await post("adjust", { ...body, coins: 1_000_000 });
  expect(proposed).toMatchObject({
    status: 200,
    data: { ...shown(userId), proposalId: expect.stringMatching(/^\d+$/), state: "proposed" },
  });
  expect((await post("adjust", { ...body, coins: -20 })).data).toEqual({ ...shown(userId), balanceAfter: 30 });
  expect(await tradesOf(userId)).toEqual([
    [3, 25],
    [3, 25],
    [3, -20],
  ]);
});

test("the same request gets the state that its proposal has by now", async () => {
  const [userId, id] = [newUser(), newId()];
  const body = { userId, coins: 1_000_000, reason: "festival" };
  const { data } = await post("adjust", body, { id });
  expect(data).toMatchObject({ state: "proposed" });
  const { proposalId } = data as { proposalId: string };
  await change("platform", "UPDATE t_money_state SET expires_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [proposalId]);
  await eventually("it has expired", async () => {
    const again = (await post("adjust", body, { id, at: 1 })).data as { state: string };
    return again.state === "expired";
  });
  expect(await tradesOf(userId)).toEqual([]);
});

test("nothing is ordered for a user id that nobody has", async () => {
  const userId = newUser();
  answers["user.profile"] = () => {
    throw fail("userUnknown");
  };
  try {
    expect(await post("credit", { userId, coins: 4, externalOrderId: "no-one" })).toMatchObject({
      status: 200,
      code: 501,
    });
    expect(await post("adjust", { userId, coins: 4, reason: "no one" })).toMatchObject({ status: 200, code: 501 });
    expect(await post("payout", { userId, points: 4, payoutId: "no-one" })).toMatchObject({ status: 200, code: 501 });
  } finally {
    forget();
  }
  expect([await stateOf("credit", "no-one"), await stateOf("payout", "no-one")]).toEqual([undefined, undefined]);
  expect(await tradesOf(userId)).toEqual([]);
  // The refusal is of its idempotency key; the order id is free.
  expect(await post("credit", { userId, coins: 4, externalOrderId: "no-one" })).toMatchObject({
    status: 200,
    code: 200,
  });
});

test("a payout beyond the free income is refused, for its payout id for ever", async () => {
  const body = { userId: newUser(), points: 5, payoutId: "bank-1" };
  for (const at of [0, 1]) expect(await post("payout", body, { at })).toMatchObject({ status: 200, code: 10010 });
});

test.each<[path: string, body: object]>([
  ["credit", { coins: 0, externalOrderId: "x" }],
  ["credit", { coins: 1.5, externalOrderId: "x" }],
  ["credit", { coins: 2 ** 53, externalOrderId: "x" }],
  ["credit", { coins: 5 }],
  ["credit", { coins: 5, externalOrderId: "a b" }],
  ["adjust", { coins: 0, reason: "x" }],
  ["adjust", { coins: 5 }],
  ["adjust", { coins: 5, reason: "" }],
  ["adjust", { coins: 5, reason: "x".repeat(201) }],
  ["payout", { points: -1, payoutId: "x" }],
  ["payout", { points: 5, payoutId: "" }],
])("%s with %j is 400", async (path, body) => {
  expect(await post(path, { userId: newUser(), ...body })).toMatchObject({ status: 400, code: 100001 });
});

test("each needs its own scope", async () => {
  const own: Record<string, ApiScope> = { credit: "wallet:credit", adjust: "wallet:adjust", payout: "wallet:payout" };
  const bodies: Record<string, object> = {
    credit: { coins: 1, externalOrderId: "scope" },
    adjust: { coins: 1, reason: "scope" },
    payout: { points: 1, payoutId: "scope" },
  };
  for (const [path, scope] of Object.entries(own)) {
    const by = await newKey(
      caller,
      apiScopes.filter((one) => one !== scope),
    );
    const answer = await post(path, { userId: newUser(), ...bodies[path] }, { by });
    expect(answer).toMatchObject({ status: 403, code: 100003 });
  }
});

test("a gateway that was taken over cannot order with a key that lacks the scope, or that it has made up", async () => {
  const userId = newUser();
  const order = { userId, coins: 9, externalOrderId: "taken-over" };
  const reads = await newKey(caller, ["wallet:read"]);
  for (const apiKey of [reads, `ovk_${"a".repeat(12)}_${"b".repeat(43)}`])
    await expect(call(caller, "platform.credit", { apiKey, ...order })).rejects.toMatchObject({
      type: apiKey === reads ? "scopeMissing" : "notLoggedIn",
    });
  expect(await tradesOf(userId)).toEqual([]);
});

test("while the wallet is away the answer is 503 and says that the order stands; the same request gets its outcome", async () => {
  const userId = newUser();
  const body = { userId, coins: 8, externalOrderId: "later" };
  const id = newId();
  await stopNode(walletNode);
  const away = await post("credit", body, { id });
  expect(away).toMatchObject({ status: 503, data: { ordered: true } });
  expect(away.headers.get("Retry-After")).not.toBeNull();
  walletNode = await startNode("wallet-2", [wallet]);
  await waitForNode(caller, "wallet", walletNode.nodeID);
  for (;;) {
    const answer = await post("credit", body, { id, at: 1 });
    if (answer.status === 503) continue;
    expect(answer.data).toEqual({ ...shown(userId), balanceAfter: 8 });
    break;
  }
  expect(await tradesOf(userId)).toEqual([[1, 8]]);
});
