import { call, type ResultOf } from "../../../services/contracts.ts";
import { billDay, dayOf } from "../../../services/payment/bill-day.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { eventually } from "../../support/system.ts";
import { expectGauges } from "./payment-gauges.ts";
import { type Channel, credited, type PlacedOrder, useProviderNodes, wakeMaintenance } from "./provider-nodes.ts";

jest.setTimeout(180_000);

const nodes = useProviderNodes({ summed: false });
const operator = "alice";
const dayMs = 24 * 3_600_000;

/** Everything happens today, and is compared tomorrow and later: by the clock of the nodes alone. */
let today = "";
let tomorrow = "";
/** Longer than the tests of this file take together. */
const fileMs = 5 * 60_000;
const at = (clock: string, days = 1) => Date.parse(`${today}T${clock}+08:00`) + days * dayMs;

function setClock(time: number): void {
  for (const payment of nodes.payments) payment.clock = () => time;
}

const sql = (text: string, values: unknown[] = []) => nodes.payments[0].mysql.run(text, values);
const walletTable = (table: string) => `${nodes.payments[0].mysql.name.replace(/_payment$/, "_wallet")}.${table}`;
const wake = () => {
  for (const { maintenance } of nodes.payments) maintenance?.reconciliation.wake();
};
const days = async () => (await call(nodes.gateway, "payment.comparedDays", { operator })).list;
const differences = async () => (await call(nodes.gateway, "payment.differences", { operator })).list;
const gauge = (what: string) => `ovation.payment.reconciliation.${what}`;
const expectGauge = (what: string, value: number, labels: Record<string, string>) =>
  expectGauges(nodes, gauge(what), value, labels);

/** Days that are compared with every channel and the wallet. */
const compared = (date: string) =>
  eventually(
    `${date} is compared`,
    async () => {
      const found = (await days()).filter((day) => day.date === date && day.comparedTime !== null);
      return found.length === 4;
    },
    30_000,
  );
/** As if no day had ever been compared. */
async function forget(): Promise<void> {
  for (const table of ["t_pay_comparison", "t_pay_difference", "t_pay_bill_refund"]) await sql(`DELETE FROM ${table}`);
}
const billsAsked = () => nodes.wechat.server.calls.filter(({ path }) => path.startsWith("/v3/bill/tradebill?")).length;

function byHand(): Promise<ResultOf<"payment.reconcile">> {
  return call(nodes.gateway, "payment.reconcile", { date: today, operator }, { timeout: 20_000 });
}
const found = async () =>
  (await byHand())
    .flatMap(({ channel, differences }) => differences.map(({ kind, orderId }) => `${channel} ${kind} ${orderId}`))
    .sort();

/** The payer sends a gift of so many coins. */
async function spend({ userId, orderId }: PlacedOrder, coins: number): Promise<void> {
  const gift = { orderId: `gift-${orderId}`.slice(0, 64), senderId: userId, receiverId: "9", roomId: 1, giftId: 1 };
  await call(nodes.gateway, "wallet.consumeForSendGift", {
    bucket: bucketOf(userId),
    gifts: [{ ...gift, count: 1, price: coins, sharePercent: 50 }],
  });
}

/** An order that is refunded here, at the provider and in the wallet, at noon. */
async function refunded(channel: Channel, spent = 0): Promise<PlacedOrder> {
  const order = await credited(nodes, channel);
  if (spent > 0) await spend(order, spent);
  await call(nodes.gateway, "payment.refund", { orderId: order.orderId, reason: "r", operator });
  await eventually(
    "the provider has the refund",
    async () => {
      wakeMaintenance(nodes);
      const rows = await nodes.payments[0].mysql.query(
        "SELECT 1 FROM t_pay_refund WHERE order_id = ? AND accepted_time IS NOT NULL",
        [order.orderId],
      );
      return rows.length === 1;
    },
    30_000,
  );
  const noon = at("12:00", 0);
  await sql("UPDATE t_pay_refund SET accepted_time = ?, create_time = ? WHERE order_id = ?", [
    ...[new Date(noon), new Date(noon), order.orderId],
  ]);
  await eventually(
    "the wallet has the refund",
    async () => {
      const { list } = await call(nodes.gateway, "wallet.refundsOf", { orderIds: [order.orderId] });
      return list.length === 1;
    },
    30_000,
  );
  return order;
}

beforeAll(async () => {
  // Orders are of the day on which they are really paid: a day that ends while the tests run is waited out.
  const leftMs = billDay(dayOf(Date.now())).to.getTime() - Date.now();
  if (leftMs < fileMs) await new Promise((resolve) => setTimeout(resolve, leftMs + 1_000));
  today = dayOf(Date.now());
  tomorrow = dayOf(Date.now() + dayMs);
  const other = (date: string) => date !== today;
  Object.assign(nodes.wechat, { hasNoBill: other });
  Object.assign(nodes.alipay, { hasNoBill: other });
  setClock(at("10:29"));
}, fileMs + 60_000);
afterEach(() => {
  Object.assign(nodes.wechat, { hasNoBill: (date: string) => date !== today });
});

test("a day is compared by itself at its hour, on one of two nodes, once", async () => {
  for (const channel of ["wechat", "alipay", "cashier"] as const) await credited(nodes, channel);
  await expectGauge("waiting", 0, { channel: "wechat" });
  expect(await days()).toEqual([]);
  setClock(at("10:30"));
  wake();
  await compared(today);
  expect(billsAsked()).toBe(1);
  expect((await days()).map(({ channel, open, problem }) => [channel, open, problem])).toEqual([
    ...[
      ["alipay", 0, null],
      ["cashier", 0, null],
      ["wallet", 0, null],
      ["wechat", 0, null],
    ],
  ]);
  setClock(at("11:30"));
  for (const channel of ["wechat", "wallet"]) await expectGauge("age", 3_600, { channel });
  await expectGauge("waiting", 0, { channel: "wechat" });

  // An operator's run finds the same and changes nothing of it.
  expect(await found()).toEqual([]);
  expect(billsAsked()).toBe(2);
  expect(await days()).toHaveLength(4);
});

test("a day whose bill is not there is tried again ten minutes later; the other channels are compared meanwhile", async () => {
  await forget();
  const asked = billsAsked();
  Object.assign(nodes.wechat, { hasNoBill: () => true });
  setClock(at("10:30"));
  wake();
  await eventually(
    "the others are compared",
    async () => {
      const list = await days();
      return list.length === 4 && list.filter(({ comparedTime }) => comparedTime !== null).length === 3;
    },
    30_000,
  );
  expect((await days()).find(({ channel }) => channel === "wechat")).toMatchObject({
    ...{ comparedTime: null, problem: "the provider has no bill of this day yet" },
  });
  await expectGauge("waiting", 1, { channel: "wechat" });
  await expectGauge("waiting", 0, { channel: "alipay" });
  // An operator's run waits for it too: it does not take every payment of the day for a difference.
  await expect(byHand()).rejects.toMatchObject({ type: "unavailable" });
  const before = billsAsked();
  expect(before).toBe(asked + 2);

  Object.assign(nodes.wechat, { hasNoBill: (date: string) => date !== today });
  setClock(at("10:39"));
  wake();
  await expectGauge("waiting", 1, { channel: "wechat" });
  setClock(at("10:40"));
  wake();
  await compared(today);
  expect(billsAsked()).toBe(before + 1);
  await expectGauge("waiting", 0, { channel: "wechat" });
});

test("nor is a bill that is late taken for an empty one where nothing was paid here: it may have a payment that nobody heard of", async () => {
  await forget();
  Object.assign(nodes.wechat, { hasNoBill: () => true });
  // A day on which nothing happened here.
  const date = dayOf(at("12:00", -1));
  const reconcile = () => call(nodes.gateway, "payment.reconcile", { date, operator }, { timeout: 20_000 });
  setClock(at("10:30", 0));
  await expect(reconcile()).rejects.toMatchObject({ type: "unavailable" });
  expect(await days()).toEqual([]);
  setClock(at("00:00", 2));
  expect((await reconcile()).map(({ channel }) => channel)).toContain("wechat");
  Object.assign(nodes.wechat, { hasNoBill: () => false });
});

test("a provider that has no bill of a day two days later had no payments: each one here is a difference", async () => {
  const order = await credited(nodes, "wechat");
  Object.assign(nodes.wechat, { hasNoBill: () => true });
  setClock(at("00:00", 3));
  expect(await found()).toContain(`wechat notInBill ${order.orderId}`);
});

test("every kind of difference of a refund is found, with each provider's bill", async () => {
  setClock(at("11:00"));
  expect(await found()).toEqual([]);
  for (const channel of ["wechat", "alipay", "cashier"] as const) await refunded(channel);
  // Spent coins are owed: taken back and owed are the coins of the order, also where none was left.
  for (const coins of [100, 300]) await refunded("wechat", coins);
  expect(await found()).toEqual([]);

  const transactionOf = ({ tradeNo }: PlacedOrder) => nodes.wechat.trade(tradeNo).transactionId;
  const row = (order: PlacedOrder, yuan: string): void => {
    nodes.wechat.strayRows.push([transactionOf(order), order.tradeNo, "REFUND", yuan, "5000-other"]);
  };
  const missing = await refunded("wechat");
  nodes.wechat.trade(missing.tradeNo).state = "SUCCESS";
  const less = await refunded("wechat");
  nodes.wechat.trade(less.tradeNo).state = "SUCCESS";
  row(less, "10.00");
  const twice = await refunded("wechat");
  row(twice, "30.00");
  const part = await credited(nodes, "wechat");
  row(part, "1.00");
  const kept = await refunded("wechat");
  await sql(`DELETE FROM ${walletTable("t_qiyu_currency_trade")} WHERE biz_id = ?`, [`refund:${kept.orderId}`]);
  const forged = await credited(nodes, "wechat");
  await sql(
    `INSERT INTO ${walletTable("t_qiyu_currency_trade")} (user_id, num, type, status, biz_id, balance_after)
     VALUES (?, -300, 2, 1, ?, 0)`,
    [forged.userId, `refund:${forged.orderId}`],
  );
  const notAtAlipay = await refunded("alipay");
  Object.assign(nodes.alipay.trade(notAtAlipay.tradeNo), { refunded: undefined });
  const atAlipay = await credited(nodes, "alipay");
  Object.assign(nodes.alipay.trade(atAlipay.tradeNo), { refunded: "30.00" });
  const notAtCashier = await refunded("cashier");
  await sql("DELETE FROM t_cashier_refund WHERE order_id = ?", [notAtCashier.orderId]);
  const wanted = [
    `alipay refundNotInBill ${notAtAlipay.orderId}`,
    `alipay refundUnknown ${atAlipay.orderId}`,
    `cashier refundNotInBill ${notAtCashier.orderId}`,
    `wallet takenNotRefunded ${forged.orderId}`,
    `wechat refundDiffers ${less.orderId}`,
    `wechat refundNotInBill ${missing.orderId}`,
    `wechat refundNotTaken ${kept.orderId}`,
    `wechat refundTwice ${twice.orderId}`,
    `wechat refundUnknown ${part.orderId}`,
  ].sort();
  expect(await found()).toEqual(wanted);
  expect((await differences()).find(({ orderId }) => orderId === twice.orderId)?.detail).toBe(
    `6000 fen refunded by the bills (50${transactionOf(twice)}, 5000-other), 3000 here`,
  );
  // The same day again, by itself and by hand at once: one row for each difference.
  await sql("UPDATE t_pay_comparison SET compared_time = NULL");
  wake();
  await Promise.all([byHand(), byHand(), compared(today)]);
  expect((await differences()).map(({ channel, kind, orderId }) => `${channel} ${kind} ${orderId}`).sort()).toEqual(
    wanted,
  );
});

test("differences are an error in the log and a metric of every node, until they are resolved or gone", async () => {
  const errors = nodes.payments.map(({ logger }) => jest.spyOn(logger, "error"));
  await sql("UPDATE t_pay_comparison SET compared_time = NULL");
  wake();
  await compared(today);
  const wechat = { channel: "wechat", kind: "refundTwice" };
  await eventually(
    "an error of the day",
    () =>
      errors.some(({ mock }) =>
        mock.calls.some(([about]) => {
          const { date, channel, kinds } = about as { date?: string; channel?: string; kinds?: Record<string, number> };
          return date === today && channel === "wechat" && kinds?.refundTwice === 1;
        }),
      ),
    30_000,
  );
  await expectGauge("differences", 1, wechat);
  await expectGauge("differences", 0, { ...wechat, kind: "unknown" });

  const twice = (await differences()).find(({ kind }) => kind === "refundTwice");
  const id = twice?.id as number;
  const resolve = (reason: string) => call(nodes.gateway, "payment.resolveDifference", { id, reason, operator });
  const [first, second] = await Promise.all([resolve("the provider took it back"), resolve("another reason")]);
  expect(first).toEqual(second);
  expect(await resolve("later")).toEqual(first);
  await expectGauge("differences", 0, wechat);
  // A later run that finds it again keeps what the operator decided.
  expect((await found()).filter((one) => one.includes("refundTwice"))).toHaveLength(1);
  expect((await differences()).filter(({ kind }) => kind === "refundTwice")).toEqual([]);
  await expect(
    call(nodes.gateway, "payment.resolveDifference", { id: 999_999, reason: "r", operator }),
  ).rejects.toMatchObject({ type: "differenceUnknown" });
  for (const error of errors) error.mockRestore();
});

test("a day with open differences is compared again by a later run, and what is repaired is gone", async () => {
  const part = (await differences()).find(({ channel, kind }) => channel === "wechat" && kind === "refundUnknown");
  nodes.wechat.strayRows.length = 0;
  const asked = billsAsked();
  // Tomorrow has no bill, which is taken for an empty one from now on.
  setClock(at("10:30", 4));
  wake();
  await compared(tomorrow);
  await eventually("it is gone", async () => !(await differences()).some(({ id }) => id === part?.id), 30_000);
  await expectGauge("differences", 0, { channel: "wechat", kind: "refundUnknown" });
  // Each day was asked for once: both of these, and two whose bill may still come.
  expect(billsAsked()).toBe(asked + 4);
  await expectGauge("waiting", 2, { channel: "wechat" });
});

test("differences are listed in pages, by day and channel", async () => {
  const all = await differences();
  const page = (params: object) => call(nodes.gateway, "payment.differences", { operator, ...params });
  const first = await page({ limit: 1 });
  const second = await page({ limit: 100, cursor: first.nextCursor ?? "" });
  expect([...first.list, ...second.list]).toEqual(all);
  expect((await page({ channel: "alipay" })).list).toEqual(all.filter(({ channel }) => channel === "alipay"));
  expect((await page({ date: "2020-01-01" })).list).toEqual([]);
  await expect(page({ date: "yesterday" })).rejects.toMatchObject({ type: "invalidParam" });
});
