import { limits } from "../../../config/limits.ts";
import { cashierPage } from "../../../services/payment/providers/cashier/cashier-page.ts";
import { callsWanted, retryDelay } from "../../../services/payment/providers/cashier/collection.ts";
import { notifyBase, pageBase } from "../../../services/payment/providers/open-providers.ts";
import { yuan } from "../../../services/payment/yuan.ts";

describe("the cashier's page", () => {
  const collection = {
    orderId: "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000",
    name: "30元旗鱼币",
    amount: 3_000,
    action: null,
  };

  test("offers both buttons until one is pressed", () => {
    const html = cashierPage(collection);
    expect(html).toContain("30.00");
    expect(html).toContain("30元旗鱼币");
    expect(html).toMatch(/method="post" action="\/sandbox\/cashier\?orderId=0190aaaa-/);
    expect(html).toMatch(/name="action" value="pay"/);
    expect(html).toMatch(/name="action" value="cancel"/);
  });

  test.each([
    ["pay", "支付成功"],
    ["cancel", "已取消支付"],
  ] as const)("after %s says so and offers nothing any more", (action, text) => {
    const html = cashierPage({ ...collection, action });
    expect(html).toContain(text);
    expect(html).not.toContain("<form");
  });

  test("lets no text of others become markup, and has no script or inline style", () => {
    const html = cashierPage({ ...collection, orderId: `"><img src=x>'&`, name: "<script>alert(1)</script>" });
    expect(html).not.toMatch(/<script|<img|style=/);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test.each([
    [1, "0.01"],
    [10, "0.10"],
    [3_000, "30.00"],
    [Number.MAX_SAFE_INTEGER, "90071992547409.91"],
  ])("shows %i fen as %s yuan", (fen, text) => {
    expect(yuan(fen)).toBe(text);
  });
});

describe("the cashier's calls", () => {
  const call = {
    orderId: "o",
    amount: 1,
    action: "pay",
    pressTime: new Date(1_000),
    noticeId: "n",
    transactionId: "t",
    attempt: 1,
  } as const;

  test("come again later each time, and then at the last delay", () => {
    const delays = limits.payment.cashierRetryDelaysMs;
    const given = delays.map((_delay, index) => retryDelay({ ...call, attempt: index + 1 }, 2_000));
    expect(given).toEqual(delays);
    expect([...delays].sort((a, b) => a - b)).toEqual(delays);
    expect(retryDelay({ ...call, attempt: 1_000 }, 2_000)).toBe(delays.at(-1));
  });

  test("end where nobody answered for too long", () => {
    expect(retryDelay(call, 1_000 + limits.payment.cashierGiveUpMs)).not.toBeNull();
    expect(retryDelay(call, 1_001 + limits.payment.cashierGiveUpMs)).toBeNull();
  });

  test("are made twice for about the wanted percentage of orders, always the same ones", () => {
    const orders = Array.from({ length: 2_000 }, (_, index) => `order-${index}`);
    const twice = orders.filter((order) => callsWanted(order, 20) === 2);
    expect(twice.length).toBeGreaterThan(300);
    expect(twice.length).toBeLessThan(500);
    expect(orders.filter((order) => callsWanted(order, 20) === 2)).toEqual(twice);
    expect(orders.every((order) => callsWanted(order, 0) === 1 && callsWanted(order, 100) === 2)).toBe(true);
  });
});

describe("addresses", () => {
  test("pages are at the API's, webhooks at the one that providers reach, each standing in for the other", () => {
    const both = { API_URL: "http://a/", PAY_NOTIFY_BASE_URL: "https://n/", API_PORT: 8088 };
    expect([pageBase(both), notifyBase(both)]).toEqual(["http://a", "https://n"]);
    expect(pageBase({ ...both, API_URL: undefined })).toBe("https://n");
    expect(notifyBase({ ...both, PAY_NOTIFY_BASE_URL: undefined })).toBe("http://a");
    expect(pageBase({ API_PORT: 1 })).toBe("http://127.0.0.1:1");
    expect(notifyBase({ API_PORT: 1 })).toBe("http://127.0.0.1:1");
  });
});
