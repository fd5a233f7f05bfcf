import { execFile } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { call } from "../../../services/contracts.ts";
import { eventually } from "../../support/system.ts";
import { cashierSays, makeOrder, sendNotice } from "./desk.ts";
import { coinsOf, deliver, openProviderDesk, type PlacedOrder, type ProviderDesk, place } from "./provider-desk.ts";

let desk: ProviderDesk;
/** Yesterday in Beijing. */
const date = new Date(Date.now() + (8 - 24) * 3_600_000).toISOString().slice(0, 10);

beforeAll(async () => {
  desk = await openProviderDesk();
});
afterAll(() => desk.stop());

async function credited(channel: "wechat" | "alipay"): Promise<PlacedOrder> {
  const order = await place(desk, channel);
  desk[channel].pay(order.tradeNo);
  const { wechat, alipay } = desk;
  await deliver(desk, channel, channel === "wechat" ? wechat.paidNotice(order.tradeNo) : alipay.notice(order.tradeNo));
  await eventually("the coins", async () => (await coinsOf(desk, order)) === 300);
  return order;
}

/** As if everything had happened at noon of that day. */
async function makeYesterday(): Promise<void> {
  const noon = new Date(`${date}T12:00:00+08:00`);
  await desk.payments[0].mysql.run("UPDATE t_pay_order SET pay_time = ? WHERE pay_time IS NOT NULL", [noon]);
  await desk.payments[0].mysql.run("UPDATE t_cashier_payment SET press_time = ? WHERE press_time IS NOT NULL", [noon]);
  await walletSql("UPDATE t_qiyu_currency_trade SET create_time = ?", [noon]);
}

const walletDatabase = () => desk.payments[0].mysql.name.replace(/_payment$/, "_wallet");
const walletSql = (text: string, values: unknown[]) =>
  desk.payments[0].mysql.run(text.replace("t_qiyu", `${walletDatabase()}.t_qiyu`), values);

async function reconcile() {
  await makeYesterday();
  const results = await call(desk.gateway, "payment.reconcile", { date, operator: "alice" }, { timeout: 20_000 });
  return results.flatMap(({ channel, differences }) =>
    differences.map(({ kind, orderId, detail }) => ({ channel, kind, orderId, detail })),
  );
}

test("a day whose books agree has no differences, refunds included", async () => {
  await credited("wechat");
  await credited("alipay");
  const back = await credited("alipay");
  await call(desk.gateway, "payment.refund", { orderId: back.orderId, reason: "r", operator: "alice" });
  await eventually("the money is back", async () => desk.alipay.trade(back.tradeNo).refunded === "30.00");
  const cashier = await makeOrder(desk.gateway, "999");
  await call(desk.gateway, "payment.cashierPress", { orderId: cashier.orderId, action: "pay" });
  const [pressed] = await desk.payments[0].mysql.query<{ transaction_id: string }>(
    "SELECT transaction_id FROM t_cashier_payment WHERE order_id = ?",
    [cashier.orderId],
  );
  await sendNotice(desk.gateway, cashierSays(cashier.orderId, { transactionId: pressed?.transaction_id }));
  await eventually(
    "coins",
    async () => (await call(desk.gateway, "wallet.balance", { userId: "999" })).balance === 300,
  );
  expect(await reconcile()).toEqual([]);
});

test("every kind of difference is found and stored, an earlier run's replaced", async () => {
  const paidNotCredited = await credited("wechat");
  await walletSql("DELETE FROM t_qiyu_currency_trade WHERE biz_id = ?", [paidNotCredited.orderId]);
  const otherCoins = await credited("wechat");
  await walletSql("UPDATE t_qiyu_currency_trade SET num = 301 WHERE biz_id = ?", [otherCoins.orderId]);
  const otherAmount = await credited("wechat");
  Object.assign(desk.wechat.trade(otherAmount.tradeNo), { total: 2_999 });
  const notInBill = await credited("alipay");
  desk.alipay.trades.delete(notInBill.tradeNo);
  const unheard = await place(desk, "alipay");
  desk.alipay.pay(unheard.tradeNo);
  desk.wechat.strayRows.push(["4200stray", "strayorder", "SUCCESS", "1.00"]);
  const unpaid = await credited("wechat");
  await desk.payments[0].mysql.run("UPDATE t_pay_order SET status = 3, pay_time = NULL WHERE order_id = ?", [
    unpaid.orderId,
  ]);
  const wanted = [
    { channel: "alipay", kind: "notInBill", orderId: notInBill.orderId, detail: "3000 fen paid here" },
    { channel: "alipay", kind: "unknown", orderId: unheard.orderId, detail: "paid 3000 fen, the order is paying" },
    {
      channel: "wallet",
      kind: "creditedNotPaid",
      orderId: unpaid.orderId,
      detail: "300 coins, the order is cancelled",
    },
    {
      channel: "wechat",
      kind: "amountDiffers",
      orderId: otherAmount.orderId,
      detail: "2999 fen in the bill, 3000 here",
    },
    {
      channel: "wechat",
      kind: "amountDiffers",
      orderId: otherCoins.orderId,
      detail: "301 coins credited instead of 300",
    },
    { channel: "wechat", kind: "paidNotCredited", orderId: paidNotCredited.orderId, detail: "300 coins are missing" },
    { channel: "wechat", kind: "unknown", orderId: "strayorder", detail: "paid 100 fen, no such order" },
    { channel: "wechat", kind: "unknown", orderId: unpaid.orderId, detail: "paid 3000 fen, the order is cancelled" },
  ];
  const sorted = (list: typeof wanted) => list.map((found) => JSON.stringify(found)).sort();
  expect(sorted(await reconcile())).toEqual(sorted(wanted));
  expect(sorted(await reconcile())).toEqual(sorted(wanted));
  const rows = await desk.payments[0].mysql.query<{ kind: string }>(
    "SELECT kind FROM t_pay_difference WHERE bill_date = ?",
    [date],
  );
  expect(rows.map(({ kind }) => kind).sort()).toEqual(wanted.map(({ kind }) => kind).sort());
});

test("the command prints them and says by its exit code that there are some", async () => {
  const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
    const args = [join(projectRoot(), "scripts/reconcile.ts"), "--date", date];
    const child = execFile("node", args, { env: process.env }, (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
  expect(stdout).toMatch(/creditedNotPaid/);
  expect(stdout).toMatch(new RegExp(`^${date} {2}wallet`, "m"));
  expect(code).toBe(2);
});

test("a day that is not over, and a bill that cannot be had, are refused", async () => {
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const ask = (day: string) => call(desk.gateway, "payment.reconcile", { date: day, operator: "alice" });
  await expect(ask(today)).rejects.toMatchObject({ type: "invalidParam" });
  await expect(ask("2026-02-31")).rejects.toMatchObject({ type: "invalidParam" });
  desk.wechat.server.down = 500;
  await expect(ask(date)).rejects.toMatchObject({ type: "unavailable" });
  desk.wechat.server.down = false;
});
