import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import { lostMessagesJob, type MessagePorts } from "../../../services/payment/maintenance/lost-messages.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { expectOrdersCredited } from "./credited-orders.ts";
import {
  cashierWebhook,
  freeJobs,
  leaseJobs,
  makeOrder,
  marksOf,
  messagesOf,
  type PaymentNode,
  sendWebhook,
  startPayment,
  wakeJobs,
} from "./payment-node.ts";

/** Messages that the stream had taken and lost: what a machine that goes down leaves of them. */

let gateway: ServiceBroker;
let payment: PaymentNode;
let walletNode: ServiceBroker;
let nats: NatsConnection;
let streams: JetStreamManager;

beforeAll(async () => {
  nats = await connect(natsOptions("test"));
  streams = await nats.jetstreamManager();
  payment = (await startPayment("payment")).service;
  gateway = await startNode("gateway", []);
  await startWallet();
  await gateway.waitForServices(["payment"]);
});
afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  try {
    await expectOrdersCredited();
  } finally {
    await nats.close();
    await stopAll();
  }
});

let wallets = 0;
async function startWallet(): Promise<void> {
  walletNode = await startNode(`wallet-${++wallets}`, [wallet]);
  for (const broker of [gateway, payment.broker])
    await eventually("the wallet is seen", () => broker.registry.hasService("wallet", walletNode.nodeID), 30_000);
}
const stopWallet = async () => {
  await stopNode(walletNode);
  for (const broker of [gateway, payment.broker])
    await eventually("the wallet is gone", () => !broker.registry.hasService("wallet", walletNode.nodeID), 30_000);
};

interface Paid {
  readonly userId: string;
  readonly orderId: string;
}

let users = 100;

/** An order of 300 coins whose payment is reported. */
async function paid(userId = String(++users)): Promise<Paid> {
  const { orderId } = await makeOrder(gateway, userId);
  expect((await sendWebhook(gateway, cashierWebhook(orderId, { time: new Date().toISOString() }))).httpStatus).toBe(
    200,
  );
  return { userId, orderId };
}

async function credited(): Promise<Paid> {
  const order = await paid();
  await expectCoins(order, 300);
  return order;
}

const refund = ({ orderId }: Paid) =>
  call(gateway, "payment.refund", { orderId, reason: "asked for", operator: "alice" });

const balance = ({ userId }: Paid) => call(gateway, "wallet.balance", { userId });
const expectCoins = (order: Paid, coins: number) =>
  eventually(`${coins} coins`, async () => (await balance(order)).balance === coins, 30_000);

/** Waits until everything of an order has left the outbox, and lets the stream lose what it has of a subject. */
async function lose(order: Paid, subject: string): Promise<void> {
  await expectSent(order);
  const { purged } = await streams.streams.purge(`${natsPrefix()}PAY`, { filter: natsPrefix() + subject });
  expect(purged).toBeGreaterThan(0);
}

const expectSent = ({ orderId }: Paid) =>
  eventually("everything is sent", async () => (await payment.outbox.unsent([orderId])).size === 0, 30_000);

const sql = (text: string, values: unknown[] = []) => payment.mysql.run(text, values);

/** Lets the wallet be asked now; `overdue` as if the message had been missing for long. */
async function look(order: Paid, { overdue = false } = {}): Promise<void> {
  await sql(
    `UPDATE t_pay_message_watch SET next_time = UTC_TIMESTAMP(3), asked = IF(?, ?, asked),
       again_time = IF(?, UTC_TIMESTAMP(3), again_time) WHERE order_id = ?`,
    [overdue, limits.payment.messageLooksBeforeAgain, overdue, order.orderId],
  );
  wakeJobs(payment);
}

/** What a node does that has the lease, with other ports. */
async function lookAfterMessages(ports: MessagePorts): Promise<void> {
  const job = lostMessagesJob(payment, ports);
  await job.handle(await job.due(job.atOnce));
}

async function watches({ orderId }: Paid) {
  return payment.mysql.query<{ effect: string; asked: number; again: number; again_time: Date; next_time: Date }>(
    "SELECT effect, asked, again, again_time, next_time FROM t_pay_message_watch WHERE order_id = ? ORDER BY effect",
    [orderId],
  );
}

const unwatched = (order: Paid) =>
  eventually("nothing is watched", async () => (await watches(order)).length === 0, 30_000);

async function published({ orderId }: Paid): Promise<string[]> {
  const found = await payment.mysql.query<{ msg_id: string }>(
    "SELECT msg_id FROM t_outbox WHERE order_key = ? AND subject LIKE 'pay.%' ORDER BY id",
    [orderId],
  );
  return found.map(({ msg_id }) => msg_id);
}

const creditId = ({ orderId }: Paid) => `pay.recharge:${orderId}`;
const refundId = ({ orderId }: Paid) => `pay.refund:${orderId}`;

/** Waits until the wallet holds no message of the stream, and returns a user's valid trades. */
async function tradesOf({ userId }: Paid): Promise<number[]> {
  for (const durable of ["wallet-recharge", "wallet-refund"])
    await eventually(`${durable} has nothing to do`, async () => (await inHand(durable)) === 0, 30_000);
  const found = await rows<{ num: string }>(
    "wallet",
    "SELECT num FROM t_qiyu_currency_trade WHERE user_id = ? AND status = 1 ORDER BY id",
    [userId],
  );
  return found.map(({ num }) => Number(num));
}

/** `null` where JetStream does not answer. */
async function inHand(durable: string): Promise<number | null> {
  const info = await streams.consumers.info(`${natsPrefix()}PAY`, durable).catch(() => null);
  return info && info.num_pending + info.num_ack_pending;
}

/** The lines of the log that are about an order. */
function about({ orderId }: Paid, { calls }: { calls: unknown[][] }): unknown[][] {
  return calls.filter(([what]) => (what as { orderId?: string }).orderId === orderId);
}

/** That something was to happen so long after a moment from `begun` until now. */
function expectAfter(time: Date | undefined, delayMs: number, begun: number): void {
  expect(time?.getTime()).toBeGreaterThanOrEqual(begun + delayMs - 1_000);
  expect(time?.getTime()).toBeLessThanOrEqual(Date.now() + delayMs + 1_000);
}

interface Metric {
  name: string;
  values: { value: number; labels: Record<string, string> }[];
}

async function counted(effect: string): Promise<number | undefined> {
  const { nodeID } = payment.broker;
  const all = await gateway.call<Metric[], object>("$node.metrics", { includes: ["ovation.**"] }, { nodeID });
  const values = all.find(({ name }) => name === "ovation.payment.messages.again")?.values ?? [];
  return values.find(({ labels }) => labels.effect === effect && labels.service === "payment")?.value;
}

/** The wallet is down while a message is sent and lost; afterwards it is there again. */
async function lostWhileAway<T extends Paid>(subject: string, send: () => Promise<T>): Promise<T> {
  await stopWallet();
  const order = await send();
  await lose(order, subject);
  await startWallet();
  return order;
}

describe("a paid order", () => {
  test("is checked once, and nothing is published again, where it is credited as usual", async () => {
    // So that nobody looks before this test has seen when that is due.
    await leaseJobs(payment, "nobody", 60_000);
    const begun = Date.now();
    const order = await paid();
    const [watch] = await watches(order);
    expect(watch).toMatchObject({ effect: "credit", asked: 0, again: 0 });
    expectAfter(watch?.next_time, limits.payment.messageLookDelaysMs[0], begun);
    await freeJobs(payment);
    await expectCoins(order, 300);
    await look(order);
    await unwatched(order);
    expect(await published(order)).toEqual([creditId(order)]);
  });

  test("whose message the stream has lost is credited once, with an alert", async () => {
    const error = jest.spyOn(payment.logger, "error");
    const before = (await counted("credit")) ?? Number.NaN;
    const order = await lostWhileAway("pay.recharge", () => paid());
    await look(order);
    await eventually("asked, and not overdue", async () => ((await watches(order))[0]?.asked ?? 0) > 0, 30_000);
    expect(await published(order)).toEqual([creditId(order)]);

    await look(order, { overdue: true });
    await expectCoins(order, 300);
    expect(await published(order)).toEqual([creditId(order), `${creditId(order)}:again:1`]);
    expect(about(order, error.mock)).toEqual([
      [{ orderId: order.orderId, subject: "pay.recharge", again: 1 }, expect.stringContaining("not credited")],
    ]);
    expect(await counted("credit")).toBe(before + 1);
    await look(order);
    await unwatched(order);
    expect(await tradesOf(order)).toEqual([300]);
  });

  test("is published again later each time for as long as it is lost", async () => {
    const order = await lostWhileAway("pay.recharge", () => paid());
    await stopWallet();
    const ports = { shown: async () => [], publishedAgain: () => {} };
    for (const again of [1, 2, 3]) {
      const begun = Date.now();
      await look(order, { overdue: true });
      await lookAfterMessages(ports);
      const [watch] = await watches(order);
      expect(watch).toMatchObject({ asked: 0, again });
      expectAfter(watch?.again_time, limits.payment.messageAgainDelaysMs[again] as number, begun);
      await lose(order, "pay.recharge");
    }
    await startWallet();
    await look(order, { overdue: true });
    await expectCoins(order, 300);
    expect((await published(order)).slice(1)).toEqual([1, 2, 3, 4].map((again) => `${creditId(order)}:again:${again}`));
  });

  test("is published again once where two nodes see to it at once", async () => {
    const order = await lostWhileAway("pay.recharge", () => paid());
    await leaseJobs(payment, "neither", 60_000);
    await look(order, { overdue: true });
    let asking = 0;
    const both = Promise.withResolvers<void>();
    const publishedAgain = jest.fn();
    const shown = async () => {
      if (++asking === 2) both.resolve();
      await both.promise;
      return [];
    };
    await Promise.all([1, 2].map(() => lookAfterMessages({ shown, publishedAgain })));
    await freeJobs(payment);
    expect(publishedAgain).toHaveBeenCalledTimes(1);
    expect(await published(order)).toEqual([creditId(order), `${creditId(order)}:again:1`]);
    await expectCoins(order, 300);
  });

  test("that the wallet is slow with gets two messages and is credited once", async () => {
    const first = await credited();
    const holding = await lockAccount(first.userId);
    try {
      const order = await paid(first.userId);
      await expectSent(order);
      await look(order, { overdue: true });
      await eventually("two messages", async () => (await published(order)).length === 2, 30_000);
      await expectSent(order);
      await eventually("both wait in the stream", async () => (await inHand("wallet-recharge")) === 2, 30_000);
      await holding.query("COMMIT");
      await expectCoins(order, 600);
      expect(await tradesOf(order)).toEqual([300, 300]);
      await look(order);
      await unwatched(order);
    } finally {
      await holding.end();
    }
  });

  test("of which the wallet cannot say anything is asked about again, and nothing is published", async () => {
    const warn = jest.spyOn(payment.logger, "warn");
    const first = await credited();
    await stopWallet();
    const order = await paid(first.userId);
    await expectSent(order);
    for (const times of [1, 2, 3]) {
      await sql("UPDATE t_pay_message_watch SET again_time = again_time - INTERVAL 1 DAY WHERE order_id = ?", [
        order.orderId,
      ]);
      await look(order);
      const failed = () => warn.mock.calls.filter(([, text]) => String(text).includes("the wallet cannot be asked"));
      await eventually("it was asked in vain", () => failed().length >= times, 30_000);
    }
    expect(await watches(order)).toMatchObject([{ asked: 0, again: 0 }]);
    // What waits in the stream is not lost: the wallet has time for it, however long it was away.
    const holding = await lockAccount(first.userId);
    try {
      await startWallet();
      await look(order);
      await eventually("the wallet has said no", async () => ((await watches(order))[0]?.asked ?? 0) > 0, 30_000);
      expect(await published(order)).toEqual([creditId(order)]);
    } finally {
      await holding.end();
    }
    await expectCoins(order, 600);
    await look(order);
    await unwatched(order);
    expect(await published(order)).toEqual([creditId(order)]);
  });

  describe("whose message waits in the outbox is not published a second time", () => {
    const ports = () => ({ shown: jest.fn(async (): Promise<string[]> => []), publishedAgain: jest.fn() });

    /** Lost and overdue, but for a message of the order that the outbox holds; the job leaves it alone. */
    async function waiting(): Promise<Paid> {
      const order = await lostWhileAway("pay.recharge", () => paid());
      await leaseJobs(payment, "nobody", 60_000);
      await sql(
        `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time)
         VALUES ('no.such.subject', ?, ?, '{}', UTC_TIMESTAMP(3))`,
        [`stuck:${order.orderId}`, order.orderId],
      );
      return order;
    }
    const leaves = ({ orderId }: Paid) =>
      sql("UPDATE t_outbox SET sent_time = UTC_TIMESTAMP(3) WHERE msg_id = ?", [`stuck:${orderId}`]);

    /** It is lost after all, which is seen once its wait is over. */
    async function found(order: Paid): Promise<void> {
      await freeJobs(payment);
      await look(order, { overdue: true });
      await expectCoins(order, 300);
    }

    test("its wait begins when it has left", async () => {
      const order = await waiting();
      const { shown, publishedAgain } = ports();
      const begun = Date.now();
      for (let time = 1; time <= limits.payment.messageLooksBeforeAgain; time++) {
        await look(order, { overdue: true });
        await lookAfterMessages({ shown, publishedAgain });
        expect(shown).toHaveBeenCalledTimes(time);
      }
      await leaves(order);
      await look(order);
      await lookAfterMessages({ shown, publishedAgain });
      expect(publishedAgain).not.toHaveBeenCalled();
      expect(await published(order)).toEqual([creditId(order)]);
      const [watch] = await watches(order);
      expect(watch).toMatchObject({ asked: 1, again: 0 });
      expectAfter(watch?.again_time, limits.payment.messageAgainDelaysMs[0], begun);
      await found(order);
    });

    test("nor where it leaves while the wallet is asked", async () => {
      const order = await waiting();
      const { shown, publishedAgain } = ports();
      shown.mockImplementation(async () => {
        await leaves(order);
        return [];
      });
      await look(order, { overdue: true });
      await lookAfterMessages({ shown, publishedAgain });
      expect(shown).toHaveBeenCalled();
      expect(publishedAgain).not.toHaveBeenCalled();
      expect(await published(order)).toEqual([creditId(order)]);
      await found(order);
    });
  });

  test("that is parked without a topic is watched from the moment it has one", async () => {
    await sql("UPDATE t_pay_topic SET status = 0 WHERE biz_code = 10001");
    const order = await paid();
    expect(await marksOf(payment, order.orderId)).toEqual(["topicMissing"]);
    expect(await watches(order)).toEqual([]);
    await sql("UPDATE t_pay_topic SET status = 1 WHERE biz_code = 10001");
    await stopWallet();
    wakeJobs(payment);
    await eventually("it is watched", async () => (await watches(order)).length === 1, 30_000);
    await lose(order, "pay.recharge");
    await startWallet();
    await look(order, { overdue: true });
    await expectCoins(order, 300);
  });
});

describe("a refunded order", () => {
  test("is checked once where its coins are taken back as usual", async () => {
    const order = await credited();
    await refund(order);
    await expectCoins(order, 0);
    await look(order);
    await unwatched(order);
    expect(await published(order)).toEqual([creditId(order), refundId(order)]);
  });

  test("whose message the stream has lost gives its coins back once, with an alert", async () => {
    const error = jest.spyOn(payment.logger, "error");
    const before = (await counted("refund")) ?? Number.NaN;
    const order = await credited();
    await look(order);
    await unwatched(order);
    await lostWhileAway("pay.refund", async () => {
      await refund(order);
      return order;
    });
    expect((await balance(order)).balance).toBe(300);
    await look(order, { overdue: true });
    await expectCoins(order, 0);
    await look(order);
    await unwatched(order);
    expect(await tradesOf(order)).toEqual([300, -300]);
    expect(await published(order)).toEqual([creditId(order), refundId(order), `${refundId(order)}:again:1`]);
    expect(about(order, error.mock)).toMatchObject([[{ subject: "pay.refund" }, expect.any(String)]]);
    expect(await counted("refund")).toBe(before + 1);
  });

  test("whose credit was lost leaves no debt: the credit still comes", async () => {
    const order = await lostWhileAway("pay.recharge", () => paid());
    await refund(order);
    await eventually("a debt of coins that never came", async () => (await balance(order)).debt === 300, 30_000);
    expect((await watches(order)).map(({ effect }) => effect)).toContain("credit");
    await look(order, { overdue: true });
    await eventually("no debt", async () => (await balance(order)).debt === 0, 30_000);
    expect(await balance(order)).toMatchObject({ balance: 0, totalCharged: 300 });
    await look(order);
    await unwatched(order);
  });

  test("that was never credited, since it was parked, is not watched", async () => {
    await sql("UPDATE t_pay_topic SET status = 0 WHERE biz_code = 10001");
    const order = await paid();
    await refund(order);
    await sql("UPDATE t_pay_topic SET status = 1 WHERE biz_code = 10001");
    expect(await watches(order)).toEqual([]);
    expect(await messagesOf(payment, order.orderId)).toEqual(["event.payment.paid", "event.payment.refunded"]);
  });
});

/** Holds a user's account in the wallet's database: whatever wants to change it waits. */
async function lockAccount(userId: string): Promise<Connection> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  await connection.query("START TRANSACTION");
  await connection.query("SELECT user_id FROM t_qiyu_currency_account WHERE user_id = ? FOR UPDATE", [userId]);
  return connection;
}
