import type { ServiceBroker } from "moleculer";
import { createConnection } from "mysql2/promise";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName, natsPrefix } from "../../../config/config.ts";
import { EndedBeforeReady } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import { rows } from "../../support/books.ts";
import type { Gate } from "../../support/gated-server.ts";
import { type GatedServers, gatedServers, NodeProcess } from "../../support/node-process.ts";
import { insist } from "../../support/providers/simulated-server.ts";
import { WechatSimulator } from "../../support/providers/wechat-simulator.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { expectOrdersCredited } from "./credited-orders.ts";

/**
 * Payment and wallet as processes of their own, stopped at a step of a payment's or refund's way by the server that the
 * step is about, killed there with SIGKILL, and followed by a fresh process.
 */

let wechat: WechatSimulator;
let servers: { payment: GatedServers; wallet: GatedServers };
let payment: NodeProcess;
let wallet: NodeProcess;
let provider: ServiceBroker;
let nats: NatsConnection;
let streams: JetStreamManager;

jest.setTimeout(120_000);

beforeAll(async () => {
  nats = await connect(natsOptions("test"));
  streams = await nats.jetstreamManager();
  wechat = await WechatSimulator.start();
  Object.assign(process.env, wechat.settings, { PAY_NOTIFY_BASE_URL: "http://gateway.example" });
  servers = { payment: await gatedServers(), wallet: await gatedServers() };
  provider = await startNode("gateway", []);
  [payment, wallet] = await Promise.all([fresh("payment"), fresh("wallet")]);
});
afterAll(async () => {
  try {
    await expectOrdersCredited();
  } finally {
    // Also where a test failed: no process outlives its file.
    await Promise.all([payment?.stop(), wallet?.stop()]);
    await nats.close();
    await stopAll();
    await Promise.all([servers.payment.close(), servers.wallet.close(), wechat.server.stop()]);
  }
});

async function fresh(service: "payment" | "wallet"): Promise<NodeProcess> {
  const start = () => NodeProcess.start(service, servers[service]);
  // As supervisors start a node again that gave up, since a server did not answer it in time.
  const started = await start().catch((error: unknown) => {
    if (!(error instanceof EndedBeforeReady)) throw error;
    return start();
  });
  await waitForNode(provider, service, started.nodeId);
  return started;
}

async function replacePayment(): Promise<void> {
  await payment.kill();
  await endLease();
  payment = await fresh("payment");
}

/** Nobody gives the dead node's lease back: as if it had run out by now. */
async function endLease(): Promise<void> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("payment") });
  try {
    await connection.query("UPDATE t_lease SET until_time = UTC_TIMESTAMP(3)");
  } finally {
    await connection.end();
  }
}

async function replaceWallet(): Promise<void> {
  await wallet.kill();
  wallet = await fresh("wallet");
}

const sql = (service: string, text: string, values: unknown[] = []) =>
  rows<Record<string, unknown>>(service, text, values);

let users = 0;

interface Placed {
  readonly userId: string;
  readonly orderId: string;
  readonly tradeNo: string;
}

/** An order of product 6 (300 coins) that its payer has paid at WeChat Pay. */
async function placePaid(): Promise<Placed> {
  const userId = String(++users);
  const params = { userId, productId: 6, paySource: 1, payChannel: 1 };
  const { orderId } = await call(provider, "payment.pay", params, { nodeID: payment.nodeId });
  const tradeNo = orderId.replaceAll("-", "");
  expect(wechat.pay(tradeNo)).toBe(true);
  return { userId, orderId, tradeNo };
}

/** One call of the provider; `null` where no answer came. */
async function send(raw: ReturnType<WechatSimulator["paidWebhook"]>): Promise<number | null> {
  const params = { channel: "wechat" as const, ...raw };
  const answer = await call(provider, "payment.webhook", params, { nodeID: payment.nodeId, timeout: 20_000 }).catch(
    () => null,
  );
  return answer?.httpStatus ?? null;
}

const sendPaid = ({ tradeNo }: Placed) => send(wechat.paidWebhook(tradeNo));

/** What is committed of an order in the payment's books. */
async function committed({ orderId }: Placed) {
  const [order] = await sql("payment", "SELECT status FROM t_pay_order WHERE order_id = ?", [orderId]);
  const messages = await sql(
    "payment",
    "SELECT subject, sent_time IS NOT NULL AS sent FROM t_outbox WHERE order_key = ? ORDER BY id",
    [orderId],
  );
  const webhooks = await sql("payment", "SELECT outcome FROM t_pay_webhook WHERE order_id = ?", [orderId]);
  return {
    status: order?.status,
    messages: messages.map(({ subject }) => subject),
    unsent: messages.filter(({ sent }) => Number(sent) === 0).map(({ subject }) => subject),
    webhooks: webhooks.length,
  };
}

/** The valid trades of an order: its credit, and its taking back. */
const tradesOf = async ({ userId }: Placed) =>
  (
    await sql("wallet", "SELECT num FROM t_qiyu_currency_trade WHERE user_id = ? AND status = 1 ORDER BY id", [userId])
  ).map(({ num }) => Number(num));

const expectTrades = (order: Placed, trades: number[]) =>
  eventually(`trades ${trades}`, async () => JSON.stringify(await tradesOf(order)) === JSON.stringify(trades), 30_000);

const untouched = { status: 1, messages: [], webhooks: 0 };
const paid = { status: 2, messages: ["event.payment.paid", "pay.recharge"], webhooks: 1 };

/** What the books say where it stands, and which trades there may be by then. */
type Steps = [step: string, gate: (order: Placed) => Gate, books: object, trades: number[][]];

const beforeTheCommit: Steps[] = [
  [
    "the webhook is verified and nothing is written",
    ({ orderId }) => ({ sends: [new RegExp(`UPDATE t_pay_order SET [^;]*${orderId}`)], keepBack: "request" }),
    untouched,
    [[]],
  ],
  [
    "everything is written and nothing is committed",
    ({ orderId }) => ({ sends: [new RegExp(`INTO t_pay_webhook [^;]*${orderId}`), /COMMIT/], keepBack: "request" }),
    untouched,
    [[]],
  ],
  [
    "it is committed and the node does not know",
    ({ orderId }) => ({ sends: [new RegExp(`INTO t_pay_webhook [^;]*${orderId}`), /COMMIT/], keepBack: "answer" }),
    paid,
    // The node's own relay, on another connection, knows what is committed and may have published it.
    [[], [300]],
  ],
];

describe("payment killed where", () => {
  test.each(beforeTheCommit)(
    "%s: the provider calls again, and the order is credited once",
    async (_step, gate, books, trades) => {
      const order = await placePaid();
      const standing = servers.payment.mysql.standsAt(gate(order));
      const answer = sendPaid(order);
      await standing;
      expect(await committed(order)).toMatchObject(books);
      expect(trades).toContainEqual(await tradesOf(order));
      await replacePayment();
      expect(await answer).toBeNull();
      expect(await insist("wechat", async () => (await sendPaid(order)) === 200)).toBe(1);
      await expectTrades(order, [300]);
    },
  );

  test("the provider has its answer and nothing is published: no call comes any more, and the order is credited once", async () => {
    const order = await placePaid();
    const subject = `${natsPrefix()}pay.recharge`;
    const standing = servers.payment.nats.standsAt({ sends: [new RegExp(`PUB ${subject} `)], keepBack: "request" });
    expect(await sendPaid(order)).toBe(200);
    await standing;
    expect(await committed(order)).toMatchObject({ status: 2, unsent: expect.arrayContaining(["pay.recharge"]) });
    expect(await tradesOf(order)).toEqual([]);
    await replacePayment();
    await expectTrades(order, [300]);
  });

  test("the message is published and not marked: it is published again, and the order is credited once", async () => {
    const order = await placePaid();
    const subject = `${natsPrefix()}pay.recharge`;
    const standing = servers.payment.nats.standsAt({ sends: [new RegExp(`PUB ${subject} `)], keepBack: "answer" });
    expect(await sendPaid(order)).toBe(200);
    await standing;
    await expectTrades(order, [300]);
    expect(await committed(order)).toMatchObject({ unsent: ["pay.recharge"] });
    await replacePayment();
    await eventually("the row is marked", async () => (await committed(order)).unsent.length === 0, 30_000);
    expect(await tradesOf(order)).toEqual([300]);
  });
});

const credit = ({ orderId }: Placed) => new RegExp(`INTO t_qiyu_currency_trade[^;]*${orderId}`);

const walletSteps: [step: string, server: "mysql" | "nats", gate: (order: Placed) => Gate, trades: number[]][] = [
  [
    "the message is fetched and nothing is written",
    "mysql",
    (order) => ({ sends: [credit(order)], keepBack: "request" }),
    [],
  ],
  [
    "the credit is written and not committed",
    "mysql",
    (order) => ({ sends: [credit(order), /COMMIT/], keepBack: "request" }),
    [],
  ],
  [
    "the credit is committed and the node does not know",
    "mysql",
    (order) => ({ sends: [credit(order), /COMMIT/], keepBack: "answer" }),
    [300],
  ],
  [
    "the credit is committed and the message is not acked",
    "nats",
    () => ({ sends: [/PUB \$JS\.ACK\.\S*wallet-recharge\S* 4\r\n\+ACK/], keepBack: "request" }),
    [300],
  ],
];

describe("wallet killed where", () => {
  test.each(walletSteps)(
    "%s: the message comes again, and the order is credited once",
    async (_step, server, gate, trades) => {
      const order = await placePaid();
      const standing = servers.wallet[server].standsAt(gate(order));
      expect(await sendPaid(order)).toBe(200);
      await standing;
      expect(await tradesOf(order)).toEqual(trades);
      const deliveries = await deliveriesOf("wallet-recharge");
      await replaceWallet();
      await expectComesAgain("wallet-recharge", deliveries);
      expect(await tradesOf(order)).toEqual([300]);
    },
  );

  test("the coins of a refund are taken back and the message is not acked: they are taken once", async () => {
    const order = await placePaid();
    await sendPaid(order);
    await expectTrades(order, [300]);
    const standing = servers.wallet.nats.standsAt({
      sends: [/PUB \$JS\.ACK\.\S*wallet-refund\S* 4\r\n\+ACK/],
      keepBack: "request",
    });
    await refund(order);
    await standing;
    const deliveries = await deliveriesOf("wallet-refund");
    await replaceWallet();
    await expectComesAgain("wallet-refund", deliveries);
    expect(await tradesOf(order)).toEqual([300, -300]);
  });
});

/** A message came to the fresh wallet once more, which has said that it is done with it. */
async function expectComesAgain(durable: string, deliveries: number): Promise<void> {
  await eventually(
    `${durable} has nothing to do`,
    async () => {
      const info = await consumerInfo(durable);
      return info && info.num_pending + info.num_ack_pending === 0 && info.delivered.consumer_seq > deliveries;
    },
    30_000,
  );
}

async function deliveriesOf(durable: string): Promise<number> {
  const { delivered } = await eventually(`an answer about ${durable}`, () => consumerInfo(durable), 20_000);
  return delivered.consumer_seq;
}

/** `null` where JetStream does not answer. */
const consumerInfo = (durable: string) => streams.consumers.info(`${natsPrefix()}PAY`, durable).catch(() => null);

const refund = ({ orderId }: Placed) =>
  call(provider, "payment.refund", { orderId, reason: "asked for", operator: "alice" }, { nodeID: payment.nodeId });

async function refundRow({ orderId }: Placed) {
  const [row] = await sql("payment", "SELECT state, attempts FROM t_pay_refund WHERE order_id = ?", [orderId]);
  return { state: row?.state, attempts: Number(row?.attempts) };
}

/** How often WeChat Pay was asked for the refund of an order. */
const refundCalls = ({ tradeNo }: Placed) =>
  wechat.server.calls.filter(({ path, body }) => path.includes("/refunds") && body.includes(tradeNo)).length;

describe("a refund whose node is killed where", () => {
  async function credited(): Promise<Placed> {
    const order = await placePaid();
    await sendPaid(order);
    await expectTrades(order, [300]);
    return order;
  }

  /** Whatever was lost, in the end the provider has one refund and the wallet has taken the coins once. */
  async function expectRefundedOnce(order: Placed, calls: number): Promise<void> {
    await eventually("the provider has it", async () => (await refundRow(order)).state === "processing", 30_000);
    expect(refundCalls(order)).toBe(calls);
    expect(await send(wechat.refundWebhook(order.tradeNo))).toBe(200);
    expect(await refundRow(order)).toMatchObject({ state: "done" });
    expect(await committed(order)).toMatchObject({ status: 5 });
    await expectTrades(order, [300, -300]);
  }

  test("it is committed and the provider is not asked: it is asked by another node", async () => {
    const order = await credited();
    const standing = servers.payment.mysql.standsAt({
      sends: [/FROM t_pay_refund\s+WHERE next_time <=/],
      keepBack: "request",
    });
    await refund(order);
    await standing;
    expect(await refundRow(order)).toEqual({ state: "requested", attempts: 0 });
    expect(refundCalls(order)).toBe(0);
    await replacePayment();
    await expectRefundedOnce(order, 1);
  });

  test("the provider has it and has not answered: it is asked again and has one refund", async () => {
    const order = await credited();
    const standing = new Promise<void>((reached) => {
      wechat.beforeRefundAnswer = () => {
        reached();
        return new Promise(() => {});
      };
    });
    await refund(order);
    await standing;
    wechat.beforeRefundAnswer = async () => {};
    expect(wechat.trade(order.tradeNo).refund).toMatchObject({ status: "PROCESSING" });
    expect(await refundRow(order)).toEqual({ state: "requested", attempts: 0 });
    await replacePayment();
    await expectRefundedOnce(order, 2);
  });

  test("the provider has answered and nothing is noted: it is asked again and has one refund", async () => {
    const order = await credited();
    const standing = servers.payment.mysql.standsAt({
      sends: [new RegExp(`UPDATE t_pay_refund SET state [^;]*${order.orderId}`)],
      keepBack: "request",
    });
    await refund(order);
    await standing;
    expect(refundCalls(order)).toBe(1);
    expect(await refundRow(order)).toEqual({ state: "requested", attempts: 0 });
    await replacePayment();
    await expectRefundedOnce(order, 2);
  });
});
