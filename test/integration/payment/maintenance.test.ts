import { eventually, stopNode } from "../../support/system.ts";
import { leaseJobs, marksOf, messagesOf, startPayment, webhooksOf } from "./payment-node.ts";
import {
  channels,
  deliver,
  expectCoins,
  type PlacedOrder,
  paidWebhook,
  pay,
  place,
  placePaid,
  statusOf,
  useProviderNodes,
  wakeMaintenance,
  wechatCalls,
} from "./provider-nodes.ts";

const nodes = useProviderNodes();

const sql = (text: string, values: unknown[] = []) => nodes.payments[0].mysql.run(text, values);

/** Makes the next check due now, on any node; `expired`: the order's time is over too. */
async function due({ orderId }: PlacedOrder, expired = false): Promise<void> {
  await sql(
    `UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3), expire_time = IF(?, UTC_TIMESTAMP(3), expire_time)
     WHERE order_id = ?`,
    [expired, orderId],
  );
  wakeMaintenance(nodes);
}

async function watchOf({ orderId }: PlacedOrder) {
  const [row] = await nodes.payments[0].mysql.query<{ asked: number; next_time: Date }>(
    "SELECT asked, next_time FROM t_pay_watch WHERE order_id = ?",
    [orderId],
  );
  return row;
}

const gone = (order: PlacedOrder) => eventually("the watch is gone", async () => !(await watchOf(order)), 30_000);
const asked = (order: PlacedOrder, times: number) =>
  eventually(`asked ${times} times`, async () => (await watchOf(order))?.asked === times, 30_000);

describe.each(channels)("an order of %s", (channel) => {
  test("whose webhook never comes is paid and credited all the same", async () => {
    const order = await placePaid(nodes, channel);
    await due(order);
    await gone(order);
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
    expect(await webhooksOf(nodes.payments[0], order.orderId)).toMatchObject([{ outcome: "applied", reason: "paid" }]);
    expect((await deliver(nodes, channel, paidWebhook(nodes, order))).httpStatus).toBe(200);
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
  });

  test("that is not paid yet is asked about again later", async () => {
    const order = await place(nodes, channel);
    await due(order);
    await asked(order, 1);
    expect((await watchOf(order))?.next_time.getTime()).toBeGreaterThan(Date.now() + 30_000);
    expect(await statusOf(nodes, order)).toBe(1);
  });

  test("that is not paid in time is closed at the provider and expires here", async () => {
    const order = await place(nodes, channel);
    await due(order, true);
    await gone(order);
    expect(await statusOf(nodes, order)).toBe(4);
    expect(await pay(nodes, order)).toBe(false);
    expect(await messagesOf(nodes.payments[0], order.orderId)).toEqual([]);
    expect(await webhooksOf(nodes.payments[0], order.orderId)).toMatchObject([{ outcome: "applied" }]);
  });

  test("that is paid at the last moment is paid", async () => {
    const order = await placePaid(nodes, channel);
    await due(order, true);
    await gone(order);
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
  });
});

test("an order that the provider does not know expires", async () => {
  nodes.wechat.server.down = 500;
  await place(nodes, "wechat").catch(() => null);
  nodes.wechat.server.down = false;
  const [row] = await nodes.payments[0].mysql.query<{ order_id: string; user_id: string }>(
    "SELECT order_id, user_id FROM t_pay_order WHERE status = 0 AND pay_channel = 1 ORDER BY id DESC LIMIT 1",
  );
  const order = {
    orderId: row?.order_id ?? "",
    userId: String(row?.user_id),
    tradeNo: "",
    payUrl: "",
    channel: "wechat" as const,
  };
  await due(order, true);
  await gone(order);
  expect(await statusOf(nodes, order)).toBe(4);
});

test.each(["wechat", "alipay"] as const)(
  "while %s is down nothing is closed, and it is asked again",
  async (channel) => {
    const order = await place(nodes, channel);
    nodes[channel].server.down = true;
    await due(order, true);
    await asked(order, 1);
    expect(await statusOf(nodes, order)).toBe(1);
    nodes[channel].server.down = false;
    expect(await pay(nodes, order)).toBe(true);
    await due(order, true);
    await gone(order);
    expect(await statusOf(nodes, order)).toBe(2);
    await expectCoins(nodes, order, 300);
  },
);

test("while the cashier's book cannot be read nothing is closed, and it is asked again", async () => {
  const order = await place(nodes, "cashier");
  await sql("RENAME TABLE t_cashier_payment TO t_cashier_payment_away");
  try {
    await due(order, true);
    await asked(order, 1);
    expect(await statusOf(nodes, order)).toBe(1);
  } finally {
    await sql("RENAME TABLE t_cashier_payment_away TO t_cashier_payment");
  }
  expect(await pay(nodes, order)).toBe(true);
  await due(order, true);
  await gone(order);
  expect(await statusOf(nodes, order)).toBe(2);
});

test("an answer of another amount moves nothing, and is asked for again", async () => {
  const order = await placePaid(nodes, "wechat");
  Object.assign(nodes.wechat.trade(order.tradeNo), { total: 1 });
  await due(order);
  await asked(order, 1);
  expect(await statusOf(nodes, order)).toBe(1);
  expect(await webhooksOf(nodes.payments[0], order.orderId)).toMatchObject([
    { outcome: "refused", reason: "amount: 1 instead of 3000 fen" },
  ]);
});

test("a webhook and the expiry at the same moment end in one state, credited only where it is paid", async () => {
  for (let round = 0; round < 8; round++) {
    const order = await place(nodes, "wechat");
    const paying = async () => {
      if (!nodes.wechat.pay(order.tradeNo)) return null;
      return deliver(nodes, "wechat", nodes.wechat.paidWebhook(order.tradeNo));
    };
    const [answer] = round % 2 ? await Promise.all([paying(), due(order, true)]) : [null, await due(order, true)];
    const late = answer ?? (await paying());
    await gone(order);
    const status = await statusOf(nodes, order);
    expect(status).toBe(late ? 2 : 4);
    expect((await messagesOf(nodes.payments[0], order.orderId)).length).toBe(status === 2 ? 2 : 0);
    expect(await marksOf(nodes.payments[0], order.orderId)).toEqual([]);
  }
});

describe("a maintenance job", () => {
  test("asks once about each order, however many nodes there are", async () => {
    const orders = await Promise.all(Array.from({ length: 12 }, () => place(nodes, "wechat")));
    await Promise.all(orders.map((order) => due(order)));
    for (const order of orders) await asked(order, 1);
    expect(orders.map((order) => wechatCalls(nodes, order, "query"))).toEqual(Array(12).fill(1));
  });

  test("is another node's once the one that had it is gone without giving the lease back", async () => {
    const begun = Date.now();
    await leaseJobs(nodes.payments[0], "a-dead-node", 1_500);
    const order = await placePaid(nodes, "wechat");
    await due(order, true);
    await eventually(
      "another node has taken over",
      async () => {
        wakeMaintenance(nodes);
        return !(await watchOf(order));
      },
      30_000,
    );
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1_400);
    expect(await statusOf(nodes, order)).toBe(2);
  });

  test("is another node's at once where the one that had it stops in order", async () => {
    const third = await startPayment("payment-3");
    await leaseJobs(nodes.payments[0], third.broker.nodeID, 60_000);
    await stopNode(third.broker);
    const order = await placePaid(nodes, "wechat");
    await due(order, true);
    await gone(order);
  });
});
