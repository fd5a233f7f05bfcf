import type { ServiceBroker } from "moleculer";
import { databaseName, readConfig } from "../../../config/config.ts";
import { settingsText } from "../../../config/settings-block.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { providerSettings } from "../../../services/payment/providers/open-providers.ts";
import type { ProviderDeclaration } from "../../../services/payment/providers/provider.ts";
import { providerNamed } from "../../../services/payment/providers.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { book, webhookOf } from "../../support/providers/made-up/made-up-provider.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { alice, asAlice, send, startGateway, startNeighbours } from "../api-gateway/neighbours.ts";
import { type PaymentNode, startPayment, wakeJobs } from "./payment-node.ts";

/** The registry with a line more. */
jest.mock("../../../services/payment/providers/registry.ts", () => {
  const { alipay, cashier, wechat } = jest.requireActual("../../../services/payment/providers/registry.ts");
  const { madeUp } = jest.requireActual("../../support/providers/made-up/made-up.ts");
  return Object.defineProperty({ alipay, cashier, wechat, madeUp }, "__esModule", { value: true });
});

// A system in production, where no sandbox is.
Object.assign(process.env, {
  PROFILE: "production",
  METRICS_TOKEN: "the-token-of-the-metrics",
  TRUST_PROXY: "false",
  SMS_PROVIDER: "webhook",
  SMS_WEBHOOK_URL: "http://127.0.0.1:9/sms",
  PAY_NOTIFY_BASE_URL: "https://pay.example",
  CASHIER_SECRET: "",
  MADE_UP_KEY: "the-key-of-the-made-up-provider",
  MADE_UP_SHOP: "shop-1",
});

const { userId } = alice;
let base = "";
let gateway: ServiceBroker;
let payment: PaymentNode;

beforeAll(async () => {
  for (const service of ["payment", "wallet"] as const) await migrate(databaseName(service), migrationFolders[service]);
  await startNeighbours(["user"]);
  payment = (await startPayment("payment")).service;
  await startNode("wallet", [wallet]);
  ({ base, broker: gateway } = await startGateway(["user", "payment", "wallet"]));
  await payment.broker.waitForServices(["wallet"]);
});
afterAll(stopAll);

const webhookPath = "/live/bank/payNotify/madeUpNotify";
const deliver = (body: string, key = process.env.MADE_UP_KEY as string) =>
  send(base + webhookPath, { headers: { "X-Made-Up-Key": key }, body });

async function place(): Promise<string> {
  const body = { productId: 6, paySource: 1, payChannel: 9 };
  const { code, data } = await send(`${base}/live/api/bank/payProduct`, { headers: asAlice, body });
  expect(code).toBe(200);
  const { orderId, payUrl } = data as { orderId: string; payUrl: string };
  expect(payUrl).toBe(`https://made-up.example/shop-1/${orderId}`);
  expect(book.get(orderId)?.webhookUrl).toBe(`https://pay.example${webhookPath}`);
  return orderId;
}

async function placePaid(): Promise<string> {
  const orderId = await place();
  Object.assign(book.get(orderId) as object, { state: "paid" });
  return orderId;
}

const balance = async () => (await call(gateway, "wallet.balance", { userId })).balance;
const expectCoins = (coins: number) => eventually(`${coins} coins`, async () => (await balance()) === coins, 30_000);
const statusOf = async (orderId: string) => (await call(gateway, "payment.order", { userId, orderId })).status;

describe("a provider that is its folder and a line in the registry", () => {
  test("is offered in production, and nothing that is not open is", async () => {
    const { data } = await send(`${base}/live/api/bank/products`, { headers: asAlice, body: { type: 0 } });
    expect((data as { payChannels: unknown }).payChannels).toEqual([
      { payChannel: 9, name: "madeup", title: { zh: "样例支付", en: "Made-up Pay" }, kind: "redirect" },
    ]);
    expect((await send(`${base}/live/bank/payNotify/cashierNotify`, { body: "{}" })).status).toBe(404);
    expect((await send(`${base}/sandbox/cashier?orderId=x`, { method: "GET" })).status).toBe(404);
  });

  test("is documented: its webhook, and its channel among the names", async () => {
    const document = JSON.parse((await send(`${base}/openapi.json`, { method: "GET" })).text);
    expect(document.paths[webhookPath].post).toMatchObject({ summary: "Webhook of the made-up provider" });
    expect(JSON.stringify(document.paths["/live/api/bank/products"])).toContain("wechat, alipay, cashier, madeup");
  });

  test("has its settings validated with all others, as a whole, before a node starts", async () => {
    const problems = (env: object) => {
      try {
        readConfig({ ...process.env, ...env }, providerSettings);
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problems({})).toBe("none");
    expect(problems({ MADE_UP_SHOP: "" })).toContain("MADE_UP_SHOP: Made-up Pay is half configured");
    expect(problems({ MADE_UP_KEY: "short", API_PORT: "x" })).toMatch(
      /API_PORT: [\s\S]*MADE_UP_KEY: must have at least/,
    );
    expect(problems({ PAY_NOTIFY_BASE_URL: "", API_URL: "" })).toContain("so that the webhooks of Made-up Pay arrive");
    const { settings } = providerNamed("madeup") as ProviderDeclaration;
    process.env.MADE_UP_SHOP = "";
    await expect(startPayment("payment-2")).rejects.toThrow("MADE_UP_SHOP: Made-up Pay is half configured");
    process.env.MADE_UP_SHOP = "shop-1";
    expect(settingsText(settings)).toBe("# Made-up Pay: both, or none.\nMADE_UP_KEY=\nMADE_UP_SHOP=\n");
  });

  test("takes a payment by its webhook, credited once, and refuses a forged one", async () => {
    const orderId = await placePaid();
    expect((await deliver(webhookOf(orderId), "a-key-of-somebody-else")).status).toBe(401);
    expect(await statusOf(orderId)).toBe(1);
    for (const outcome of ["applied", "repeated"])
      expect(await deliver(webhookOf(orderId))).toMatchObject({ status: 200, text: outcome });
    expect(await statusOf(orderId)).toBe(2);
    await expectCoins(300);
  });

  test("is asked where no webhook comes", async () => {
    const orderId = await placePaid();
    await payment.mysql.run("UPDATE t_pay_watch SET next_time = UTC_TIMESTAMP(3) WHERE order_id = ?", [orderId]);
    wakeJobs(payment);
    await eventually("it is paid", async () => (await statusOf(orderId)) === 2, 30_000);
    await expectCoins(600);
  });

  test("gives money back, and its bill agrees with the books of the day", async () => {
    const orderId = await placePaid();
    await deliver(webhookOf(orderId));
    await expectCoins(900);
    await call(gateway, "payment.refund", { orderId, reason: "asked for", operator: "alice" });
    await eventually("the money went back", () => book.get(orderId)?.state === "refunded", 30_000);
    await expectCoins(600);

    const date = new Date(Date.now() + (8 - 24) * 3_600_000).toISOString().slice(0, 10);
    const noon = new Date(`${date}T12:00:00+08:00`);
    await payment.mysql.run("UPDATE t_pay_order SET pay_time = ? WHERE pay_time IS NOT NULL", [noon]);
    await payment.mysql.run(`UPDATE ${databaseName("wallet")}.t_qiyu_currency_trade SET create_time = ?`, [noon]);
    const reconcile = () => call(gateway, "payment.reconcile", { date, operator: "alice" }, { timeout: 20_000 });
    expect(await reconcile()).toMatchObject([
      { channel: "madeup", compared: 4, found: 0 },
      { channel: "wallet", found: 0 },
    ]);
    book.delete(orderId);
    expect((await reconcile())[0]).toMatchObject({ found: 1, differences: [{ kind: "notInBill", orderId }] });
  });
});
