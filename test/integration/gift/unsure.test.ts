import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { JetStreamManager } from "nats";
import { streamNames } from "../../../mixins/jetstream/streams.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { partitionOf } from "../../../services/gift/accepted-gift.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import { giftStream } from "../../../services/streams.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { cuttable } from "../../support/cuttable-server.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { type GatedServers, gatedServers, NodeProcess } from "../../support/node-process.ts";
import { recharge } from "../../support/recharge.ts";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { alice, asAlice, send, startGateway } from "../api-gateway/neighbours.ts";

/**
 * What a client is told when a gift was published and nobody can say whether it is accepted. The gift service is a
 * process of its own, which NATS stops at that step, and where the test says so is killed there.
 */

jest.setTimeout(90_000);

const anchor = "9000000000000000077";
const neighbours: ServiceSchema[] = [
  {
    name: "user",
    actions: { revocations: () => ({ list: [], now: Date.now(), next: null }), ...restrictionsFake.actions },
  } as unknown as ServiceSchema,
  liveRooms(() => anchor),
  {
    name: "im-router",
    actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) },
  } as unknown as ServiceSchema,
];

let servers: GatedServers;
let gateway: { broker: ServiceBroker; base: string };
let purse: ServiceBroker;
let gift: NodeProcess | undefined;

beforeAll(async () => {
  servers = await gatedServers();
  await startNode("neighbours", neighbours);
  purse = await startNode("wallet", [wallet]);
  gateway = await startGateway(["user", "wallet", "living-room", "im-router"]);
  await recharge(gateway.broker, "order-alice", alice.userId, 1_000);
});
afterAll(async () => {
  try {
    await expectBooksBalanced();
  } finally {
    await gift?.stop();
    await stopAll();
    await servers.close();
  }
});

/** In place of the one that was killed: no request goes to that any more. */
async function freshGift(): Promise<void> {
  const killed = gift?.nodeId;
  gift = await NodeProcess.start("gift", servers);
  await waitForNode(gateway.broker, "gift", gift.nodeId);
  if (killed) await eventually("it is forgotten", () => !gateway.broker.registry.hasService("gift", killed));
}

/** Resolves once a gift is in its stream and the ack of it is kept back. */
const ackKeptBack = () => servers.nats.standsAt({ sends: [/gift\.send\.\d/], keepBack: "answer" });

const post = (path: string, body: object) => send(`${gateway.base}/live/api/${path}`, { headers: asAlice, body });
const sendGift = (over: object = {}) =>
  post("gift/send", { giftId: 22, roomId: 5, receiverId: anchor, count: 1, ...over });
const orderIdIn = ({ data }: { data: unknown }) => (data as { orderId: string }).orderId;
const succeeded = (orderId: string) =>
  eventually(
    `gift ${orderId} succeeded`,
    async () => ((await post("gift/order", { orderId })).data as { status?: string } | null)?.status === "succeeded",
    20_000,
  );
const chargesOf = (orderId: string) =>
  rows("wallet", "SELECT num FROM t_qiyu_currency_trade WHERE biz_id = ? AND status = 1", [orderId]);

test("while no gift node is there a gift with a request id may be one accepted earlier: the 503 names it, and none without", async () => {
  const requestId = "nobody-there";
  const answer = await sendGift({ requestId });
  const data = { orderId: orderIdOf(alice.userId, requestId) };
  expect([answer.status, answer.code, answer.data]).toEqual([503, 503, data]);
  const once = await sendGift();
  expect([once.status, once.code, once.data]).toEqual([503, 503, null]);
});

test("where an order cannot be looked up, neither on the node, in Redis nor in the books, the 503 names it; the node knows what it accepted", async () => {
  const [mysql, redis] = await Promise.all([
    cuttable(process.env.MYSQL_URL as string),
    cuttable(process.env.REDIS_URL as string),
  ]);
  const node = await NodeProcess.start("gift", { nats: servers.nats, mysql, redis });
  try {
    await waitForNode(gateway.broker, "gift", node.nodeId);
    const requestId = "answer-was-lost";
    const first = await sendGift({ requestId });
    expect([first.status, first.code]).toEqual([200, 200]);
    mysql.cut();
    redis.cut();
    const repeat = await sendGift({ requestId });
    expect([repeat.status, repeat.code, repeat.data]).toEqual([200, 200, { orderId: orderIdIn(first) }]);
    const reused = await sendGift({ requestId, count: 2 });
    expect([reused.status, reused.code]).toEqual([200, 10011]);
    const unknown = await sendGift({ requestId: "answer-of-another-node" });
    const data = { orderId: orderIdOf(alice.userId, "answer-of-another-node") };
    expect([unknown.status, unknown.code, unknown.data]).toEqual([503, 503, data]);
    mysql.mend();
    redis.mend();
    await succeeded(orderIdIn(first));
    expect(await chargesOf(orderIdIn(first))).toEqual([{ num: "-90" }]);
  } finally {
    await node.stop();
    await Promise.all([mysql.close(), redis.close()]);
  }
});

test("where the ack of the queue is lost the 503 names the order, and a repeat is that order", async () => {
  await freshGift();
  const requestId = "ack-was-lost";
  const reached = ackKeptBack();
  const answer = await sendGift({ requestId });
  await reached;
  expect([answer.status, answer.code]).toEqual([503, 503]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  const orderId = orderIdOf(alice.userId, requestId);
  expect(JSON.parse(answer.text).data).toEqual({ orderId });
  // Nobody has settled it yet: the node that could stands.
  expect((await post("gift/order", { orderId })).code).toBe(501);
  await gift?.kill();
  await freshGift();
  const repeat = await sendGift({ requestId });
  expect([repeat.status, repeat.code, repeat.data]).toEqual([200, 200, { orderId }]);
});

test("where the gift node dies between publication and answer the 503 names the order, also without a request id", async () => {
  const reached = ackKeptBack();
  const asked = sendGift();
  await reached;
  await gift?.kill();
  const answer = await asked;
  expect([answer.status, answer.code]).toEqual([503, 503]);
  const orderId = orderIdIn(answer);
  await freshGift();
  // Of this gift and of the one before it, which was sent twice, each is charged once.
  for (const order of [orderId, orderIdOf(alice.userId, "ack-was-lost")]) {
    await succeeded(order);
    expect(await chargesOf(order)).toEqual([{ num: "-90" }]);
  }
});

test("where the server refuses the publication nothing was accepted: the 503 names no order", async () => {
  const { manager } = (purse.getLocalService("wallet") as unknown as JetStreamState).jetstream;
  const stream = streamNames(giftStream)[partitionOf(alice.userId)] as string;
  const resize = (streams: JetStreamManager, max_msg_size: number) => streams.streams.update(stream, { max_msg_size });
  await resize(manager, 1);
  try {
    const answer = await sendGift({ requestId: "refused-0001" });
    expect([answer.status, answer.code, answer.data]).toEqual([503, 503, null]);
  } finally {
    await resize(manager, -1);
  }
  const again = await sendGift({ requestId: "refused-0001" });
  expect(again.code).toBe(200);
  await succeeded(orderIdIn(again));
});

test("where the wallet cannot be asked nothing was accepted: the 503 names no order", async () => {
  await stopNode(purse);
  const answer = await sendGift({ requestId: "no-wallet-0001" });
  expect([answer.status, answer.code, answer.data]).toEqual([503, 503, null]);
  purse = await startNode("wallet", [wallet]);
  await waitForNode(gateway.broker, "wallet", purse.nodeID);
  const balance = await call(gateway.broker, "wallet.balance", { userId: alice.userId });
  expect(balance.balance).toBe(1_000 - 4 * 90);
});
