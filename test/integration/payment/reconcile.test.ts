import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jsonBytes } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { call } from "../../../services/contracts.ts";
import { eventually } from "../../support/system.ts";
import { credited, pay, place, placePaid, useProviderNodes, wakeMaintenance } from "./provider-nodes.ts";

/** Yesterday in Beijing. */
const date = new Date(Date.now() + (8 - 24) * 3_600_000).toISOString().slice(0, 10);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ovation-bills-"));
  process.env.CASHIER_BILL_DIR = folder;
});
afterAll(() => rm(folder, { recursive: true }));
const nodes = useProviderNodes({ summed: false });

/** As if everything had happened at noon of that day. */
async function makeYesterday(): Promise<void> {
  const noon = new Date(`${date}T12:00:00+08:00`);
  await nodes.payments[0].mysql.run("UPDATE t_pay_order SET pay_time = ? WHERE pay_time IS NOT NULL", [noon]);
  await nodes.payments[0].mysql.run("UPDATE t_cashier_payment SET press_time = ? WHERE press_time IS NOT NULL", [noon]);
  await nodes.payments[0].mysql.run("UPDATE t_cashier_refund SET refund_time = ?", [noon]);
  await walletSql("UPDATE t_qiyu_currency_trade SET create_time = ?", [noon]);
}

const walletDatabase = () => nodes.payments[0].mysql.name.replace(/_payment$/, "_wallet");
const walletSql = (text: string, values: unknown[]) =>
  nodes.payments[0].mysql.run(text.replace("t_qiyu", `${walletDatabase()}.t_qiyu`), values);

async function reconcile() {
  await makeYesterday();
  const results = await call(nodes.gateway, "payment.reconcile", { date, operator: "alice" }, { timeout: 20_000 });
  return results.flatMap(({ channel, differences }) =>
    differences.map(({ kind, orderId, detail }) => ({ channel, kind, orderId, detail })),
  );
}

test("a day whose books agree has no differences, refunds included", async () => {
  await credited(nodes, "wechat");
  for (const channel of ["alipay", "cashier"] as const) {
    await credited(nodes, channel);
    const { orderId } = await credited(nodes, channel);
    await call(nodes.gateway, "payment.refund", { orderId, reason: "r", operator: "alice" });
    await eventually(
      "the money is back",
      async () => {
        wakeMaintenance(nodes);
        const [row] = await nodes.payments[0].mysql.query<{ state: string }>(
          "SELECT state FROM t_pay_refund WHERE order_id = ?",
          [orderId],
        );
        return row?.state === "done";
      },
      30_000,
    );
  }
  expect(await reconcile()).toEqual([]);
});

test("the cashier's bill is a file, with a line for each payment and refund", async () => {
  const bill = await readFile(join(folder, `cashier-${date}.csv`), "utf8");
  const [order] = await nodes.payments[0].mysql.query<{ order_id: string; transaction_id: string }>(
    "SELECT order_id, transaction_id FROM t_cashier_refund",
  );
  const line = (kind: string) => `${date}T04:00:00.000Z,${order?.transaction_id},${order?.order_id},${kind},30.00`;
  expect(bill).toContain(`\n${line("paid")}\n`);
  expect(bill).toContain(`\n${line("refunded")}\n`);
  expect(bill).toMatch(/\n#lines,3\n$/);
});

test("every kind of difference is found and stored, an earlier run's replaced", async () => {
  const paidNotCredited = await credited(nodes, "wechat");
  await walletSql("DELETE FROM t_qiyu_currency_trade WHERE biz_id = ?", [paidNotCredited.orderId]);
  const otherCoins = await credited(nodes, "wechat");
  await walletSql("UPDATE t_qiyu_currency_trade SET num = 301 WHERE biz_id = ?", [otherCoins.orderId]);
  const otherAmount = await credited(nodes, "wechat");
  Object.assign(nodes.wechat.trade(otherAmount.tradeNo), { total: 2_999 });
  const notInBill = await credited(nodes, "alipay");
  nodes.alipay.trades.delete(notInBill.tradeNo);
  const unheard = await placePaid(nodes, "alipay");
  const unpressed = await place(nodes, "cashier");
  expect(await pay(nodes, unpressed)).toBe(true);
  const uncollected = await credited(nodes, "cashier");
  await nodes.payments[0].mysql.run("DELETE FROM t_cashier_payment WHERE order_id = ?", [uncollected.orderId]);
  nodes.wechat.strayRows.push(["4200stray", "strayorder", "SUCCESS", "1.00"]);
  const unpaid = await credited(nodes, "wechat");
  await nodes.payments[0].mysql.run("UPDATE t_pay_order SET status = 3, pay_time = NULL WHERE order_id = ?", [
    unpaid.orderId,
  ]);
  const wanted = [
    { channel: "cashier", kind: "notInBill", orderId: uncollected.orderId, detail: "3000 fen paid here" },
    { channel: "cashier", kind: "unknown", orderId: unpressed.orderId, detail: "paid 3000 fen, the order is paying" },
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
  const rows = await nodes.payments[0].mysql.query<{ kind: string }>(
    "SELECT kind FROM t_pay_difference WHERE bill_date = ?",
    [date],
  );
  expect(rows.map(({ kind }) => kind).sort()).toEqual(wanted.map(({ kind }) => kind).sort());
});

/** As the console of Bob. */
async function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const all = [join(projectRoot(), "scripts/reconcile.ts"), "--date", date, ...args];
    const child = execFile(
      "node",
      all,
      { env: { ...process.env, CONSOLE_NAME: "bob", CONSOLE_URL: process.env.NATS_URL } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test("the command prints them and exits with 2", async () => {
  const { code, stdout } = await command();
  expect(stdout).toMatch(/creditedNotPaid/);
  expect(stdout).toMatch(new RegExp(`^${date} {2}wallet`, "m"));
  expect(code).toBe(2);
  const audited = await nodes.payments[0].mysql.query<{ operator: string }>(
    "SELECT DISTINCT operator FROM t_operator_audit WHERE action = 'payment.reconcile'",
  );
  expect(audited.map(({ operator }) => operator)).toContain("console:bob");
});

test("the command takes bills as files instead of the providers', and finds the same", async () => {
  const fetched = (await command()).stdout;
  const files = await Promise.all(
    Object.entries({ wechat: nodes.wechat.bill(), alipay: nodes.alipay.bill() }).map(async ([channel, content]) => {
      const path = join(folder, `${channel}.bill`);
      await writeFile(path, content);
      return `--file=${channel}=${path}`;
    }),
  );
  // Nobody is asked for what was handed in.
  nodes.wechat.server.down = true;
  nodes.alipay.server.down = true;
  const sorted = (text: string) => text.split("\n").sort();
  const given = await command(...files, `--file=cashier=${join(folder, `cashier-${date}.csv`)}`);
  expect(sorted(given.stdout)).toEqual(sorted(fetched));
  expect(given.code).toBe(2);
  const [stored] = await nodes.payments[0].mysql.query<{ n: string }>(
    "SELECT COUNT(*) AS n FROM t_pay_bill_line WHERE channel = 'wechat'",
  );
  expect(Number(stored?.n)).toBeGreaterThan(4);
});

test("a file that is no bill of its channel is refused, and so is a bill that did not come as a whole", async () => {
  const path = join(folder, "wechat.bill");
  const { code, stderr } = await command(`--file=alipay=${path}`);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/wechat\.bill is no bill of alipay/)]);
  const handedIn = [{ channel: "wechat" as const, lines: 1_000 }];
  await expect(call(nodes.gateway, "payment.reconcile", { date, handedIn, operator: "alice" })).rejects.toMatchObject({
    type: "invalidParam",
  });
});

test("a day on which more differs than a message carries: all of it is counted and stored, the first of it answered", async () => {
  const line = (n: number) => {
    const orderId = `stranger-${n}-`.padEnd(64, "x");
    return { kind: "paid" as const, orderId, transactionId: `t-${n}-`.padEnd(64, "x"), amount: 100 };
  };
  const lines = Array.from({ length: 1_500 }, (_, n) => line(n));
  await call(nodes.gateway, "payment.takeBill", { date, channel: "alipay", from: 0, lines });
  const params = { date, handedIn: [{ channel: "alipay" as const, lines: lines.length }], operator: "alice" };
  const results = await call(nodes.gateway, "payment.reconcile", params, { timeout: 25_000 });
  const { found = 0, differences = [] } = results.find(({ channel }) => channel === "alipay") ?? {};
  expect(found).toBeGreaterThanOrEqual(lines.length);
  expect(differences.length).toBeLessThan(found);
  expect(differences.length).toBeGreaterThan(100);
  expect(jsonBytes(results)).toBeLessThanOrEqual(limits.bus.maxPayloadBytes - 10_000);
  const [stored] = await nodes.payments[0].mysql.query<{ n: string }>(
    "SELECT COUNT(*) AS n FROM t_pay_difference WHERE channel = 'alipay' AND bill_date = ?",
    [date],
  );
  expect(Number(stored?.n)).toBe(found);
});

test("a day that is not over, and a bill that cannot be had, are refused", async () => {
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const ask = (day: string) => call(nodes.gateway, "payment.reconcile", { date: day, operator: "alice" });
  await expect(ask(today)).rejects.toMatchObject({ type: "invalidParam" });
  await expect(ask("2026-02-31")).rejects.toMatchObject({ type: "invalidParam" });
  nodes.wechat.server.down = 500;
  await expect(ask(date)).rejects.toMatchObject({ type: "unavailable" });
  nodes.wechat.server.down = false;
});
