import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import { callsWanted } from "../../../services/payment/providers/cashier/collection.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { makeOrder, messagesOf, orderRow, type PaymentNode, startPayment, webhookTimeoutMs } from "./payment-node.ts";

/** A call that is answered late is made again: these tests count calls, on machines too that stand still at times. */
jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, payment: { ...limits.payment, cashierTimeoutMs: 30_000 } } };
});

interface Call {
  readonly orderId: string;
  readonly noticeId: string;
  readonly status: string;
  readonly nonce: string;
}

/** Stands where the gateway stands: counts the cashier's calls and hands them on, or answers as the test wants. */
let merchant: Server;
let calls: Call[] = [];
/** Statuses to answer with instead of handing on, first to last; `null` hangs up. */
let instead: (number | null)[] = [];
let gateway: ServiceBroker;
let first: { broker: ServiceBroker; service: PaymentNode };
let second: { broker: ServiceBroker; service: PaymentNode };

const callsFor = (orderId: string) => calls.filter((made) => made.orderId === orderId);

beforeAll(async () => {
  merchant = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { orderId, noticeId, status } = JSON.parse(body);
    calls.push({ orderId, noticeId, status, nonce: String(request.headers["x-cashier-nonce"]) });
    const forced = instead.shift();
    if (forced === null) return request.socket.destroy();
    if (forced !== undefined) return response.writeHead(forced).end("not now");
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const raw = { body, headers, query: {}, ip: "127.0.0.1" };
    const answer = await call(
      gateway,
      "payment.webhook",
      { channel: "cashier", ...raw },
      { timeout: webhookTimeoutMs },
    );
    response.writeHead(answer?.httpStatus ?? 404, { "content-type": answer?.contentType }).end(answer?.body);
  });
  await new Promise<void>((resolve) => merchant.listen(0, "127.0.0.1", resolve));
  process.env.PAY_NOTIFY_BASE_URL = `http://127.0.0.1:${(merchant.address() as AddressInfo).port}/`;
  process.env.API_URL = "http://pages.example";
  first = await startPayment("payment-1");
  second = await startPayment("payment-2");
  gateway = await startNode("gateway", []);
  for (const { broker } of [first, second]) await waitForNode(gateway, "payment", broker.nodeID);
});
afterAll(async () => {
  await stopAll();
  merchant.closeAllConnections();
  await new Promise((resolve) => merchant.close(resolve));
});
beforeEach(() => {
  calls = [];
  instead = [];
});

/** An order whose webhook is wanted so many times. */
async function orderWanting(times: number): Promise<string> {
  for (;;) {
    const { orderId } = await makeOrder(gateway);
    if (callsWanted(orderId) === times) return orderId;
  }
}
const providerPage = (fields: Record<string, string>, press: boolean) =>
  call(gateway, "payment.providerPage", { channel: "cashier", fields, press });
const press = (orderId: string, action: string) => providerPage({ orderId, action }, true);
const settled = (orderId: string) =>
  eventually(
    `the cashier done with ${orderId}`,
    async () => {
      const [row] = await first.service.mysql.query<{ calls_left: number; next_time: Date | null }>(
        "SELECT calls_left, next_time FROM t_cashier_payment WHERE order_id = ? AND action IS NOT NULL",
        [orderId],
      );
      return row?.next_time === null;
    },
    // Longer than a call's claim, with the time-out of these tests.
    90_000,
  );

describe("the cashier's page", () => {
  test("shows the order with its amount and two buttons, at the address the order was given", async () => {
    const { orderId, payUrl } = await makeOrder(gateway);
    expect(payUrl).toBe(`http://pages.example/sandbox/cashier?orderId=${orderId}`);
    const { html } = await providerPage({ orderId }, false);
    expect(html).toContain("30.00");
    expect(html).toContain(orderId.slice(-12));
    expect(html).toContain('value="pay"');
  });

  test("of an unknown order is not found, and an unknown button is invalid", async () => {
    const page = await providerPage({ orderId: "none" }, false).catch((error: unknown) => error);
    const pressed = await press("none", "pay").catch((error: unknown) => error);
    expect([failureName(page), failureName(pressed)]).toEqual(["notFound", "notFound"]);
    const { orderId } = await makeOrder(gateway);
    expect(failureName(await press(orderId, "refund").catch((error: unknown) => error))).toBe("invalidParam");
    // No field of the page is as long: whoever calls, it does not reach the cashier.
    expect(failureName(await press(orderId, "x".repeat(21)).catch((error: unknown) => error))).toBe("notFound");
    expect((await orderRow(first.service, orderId))?.status).toBe(1);
  });
});

describe("a press", () => {
  test("of pay makes the order paid by one call where it is answered at once", async () => {
    const orderId = await orderWanting(1);
    const { html } = await press(orderId, "pay");
    expect(html).toContain("支付成功");
    await settled(orderId);
    expect((await orderRow(first.service, orderId))?.status).toBe(2);
    expect(callsFor(orderId)).toHaveLength(1);
    expect((await providerPage({ orderId }, false)).html).toContain("支付成功");
  });

  test("of cancel makes the order cancelled", async () => {
    const orderId = await orderWanting(1);
    expect((await press(orderId, "cancel")).html).toContain("已取消支付");
    await settled(orderId);
    expect((await orderRow(first.service, orderId))?.status).toBe(3);
    expect(await messagesOf(first.service, orderId)).toEqual([]);
  });

  test.each([
    ["pay", "cancel", 2],
    ["cancel", "pay", 3],
    ["pay", "pay", 2],
  ])("of %s stands, whatever is pressed afterwards (%s)", async (one, another, status) => {
    const orderId = await orderWanting(1);
    await press(orderId, one);
    await press(orderId, another);
    await settled(orderId);
    expect((await orderRow(first.service, orderId))?.status).toBe(status);
    expect(new Set(callsFor(orderId).map(({ noticeId }) => noticeId)).size).toBe(1);
  });

  test("of both at the same moment on two nodes: one stands", async () => {
    const orderId = await orderWanting(1);
    const pages = await Promise.all([press(orderId, "pay"), press(orderId, "cancel"), press(orderId, "pay")]);
    expect(new Set(pages.map(({ html }) => html)).size).toBe(1);
    await settled(orderId);
    expect(callsFor(orderId)).toHaveLength(1);
  });
});

describe("the cashier's calls", () => {
  test("are made again until they are answered with success, the same webhook newly signed", async () => {
    const orderId = await orderWanting(1);
    instead = [500, null];
    const start = Date.now();
    await press(orderId, "pay");
    await settled(orderId);
    const made = callsFor(orderId);
    expect(made).toHaveLength(3);
    expect(new Set(made.map(({ noticeId }) => noticeId)).size).toBe(1);
    expect(new Set(made.map(({ nonce }) => nonce)).size).toBe(3);
    // 500 ms before the second call, 1000 ms before the third.
    expect(Date.now() - start).toBeGreaterThanOrEqual(1_500);
    expect((await orderRow(first.service, orderId))?.status).toBe(2);
    expect(await messagesOf(first.service, orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
  });

  test("are made twice for some orders, which are credited once all the same", async () => {
    const orderId = await orderWanting(2);
    await press(orderId, "pay");
    await settled(orderId);
    expect(callsFor(orderId)).toHaveLength(2);
    expect(await messagesOf(first.service, orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
  });

  test("are not made by two nodes at once: many presses, each reported as often as wanted", async () => {
    const orders = await Promise.all(Array.from({ length: 30 }, () => makeOrder(gateway)));
    await Promise.all(orders.map(({ orderId }) => press(orderId, "pay")));
    await Promise.all(orders.map(({ orderId }) => settled(orderId)));
    for (const { orderId } of orders) {
      expect(callsFor(orderId)).toHaveLength(callsWanted(orderId));
      expect(await messagesOf(first.service, orderId)).toEqual(["event.payment.paid", "pay.recharge"]);
    }
  });

  test("outlive the node that began them", async () => {
    const orderId = await orderWanting(1);
    instead = Array(20).fill(503);
    await press(orderId, "pay");
    await eventually("a call that failed", () => callsFor(orderId).length > 0, 30_000);
    await stopNode(second.broker);
    await stopNode(first.broker);
    expect((await startPayment("payment-3")).service.providers.has("cashier")).toBe(true);
    await gateway.waitForServices("payment");
    instead = [];
    first = { ...first, service: (await startPayment("payment-4")).service };
    // The pause before the next call is longer the longer the nodes took.
    await settled(orderId);
    expect((await orderRow(first.service, orderId))?.status).toBe(2);
  });
});
