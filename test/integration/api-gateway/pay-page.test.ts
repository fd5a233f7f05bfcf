/** Paying on the page of a system in production: by WeChat Pay and Alipay, simulated, and no cashier. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import decodeQr from "jsqr";
import type { Browser, Page } from "playwright-core";
import { databaseName } from "../../../config/config.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import notification from "../../../services/notification/notification.service.ts";
import { tradeNoOf } from "../../../services/payment/order.ts";
import type { RawWebhook } from "../../../services/payment/payment.contract.ts";
import { moveOrder } from "../../../services/payment/payment-store.ts";
import user from "../../../services/user/user.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { findChromium, startChromium } from "../../browser/chromium.ts";
import { logIn, openWindow, type PersonWindow, randomPhone, shownNumber } from "../../browser/window.ts";
import { AlipaySimulator } from "../../support/providers/alipay-simulator.ts";
import { WechatSimulator } from "../../support/providers/wechat-simulator.ts";
import { startNode, stopAll } from "../../support/system.ts";
import { type PaymentNode, startPayment } from "../payment/payment-node.ts";
import { startGateway } from "./neighbours.ts";

const chromiumPath = findChromium();
const skipped = "SKIPPED: no Chromium on this machine; install chromium or set CHROMIUM_PATH";
if (!chromiumPath) process.stderr.write(`browser test ${skipped}\n`);

jest.setTimeout(60_000);

/** Functions that run in the browser, whose types are not those of this program. */
const inBrowser = <Arg, Result>(...text: string[]) => new Function(...text) as (element: unknown, arg: Arg) => Result;
/** The pixels of an SVG, so many on each side, row by row: 1 is dark. */
const drawn = inBrowser<number, Promise<string>>(
  "svg",
  "side",
  `const copy = svg.cloneNode(true);
  for (const name of ["width", "height"]) copy.setAttribute(name, String(side));
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
  return image.decode().then(() => {
    const context = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
    context.drawImage(image, 0, 0, side, side);
    const { data } = context.getImageData(0, 0, side, side);
    return Array.from({ length: side * side }, (_, n) => (data[4 * n] < 128 ? 1 : 0)).join("");
  });`,
);
const hasFocus = inBrowser<undefined, boolean>("one", "return one === document.activeElement;");

(chromiumPath ? describe : describe.skip)(`paying on the page${chromiumPath ? "" : ` (${skipped})`}`, () => {
  let wechat: WechatSimulator;
  let alipay: AlipaySimulator;
  let payment: PaymentNode;
  /** Takes the login codes, as a provider of SMS does. */
  let sms: Server;
  const codes = new Map<string, string>();
  let base = "";
  let browser: Browser;
  let person: PersonWindow;
  let page: Page;

  beforeAll(async () => {
    wechat = await WechatSimulator.start();
    alipay = await AlipaySimulator.start();
    sms = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { phone, code } = JSON.parse(body);
      codes.set(phone, code);
      response.end();
    });
    await new Promise<void>((resolve) => sms.listen(0, "127.0.0.1", resolve));
    Object.assign(process.env, wechat.settings, alipay.settings, {
      PROFILE: "production",
      METRICS_TOKEN: "the-token-of-the-metrics",
      TRUST_PROXY: "false",
      SMS_BUDGET_PER_DAY: "0",
      SMS_PROVIDER: "webhook",
      SMS_WEBHOOK_URL: `http://127.0.0.1:${(sms.address() as AddressInfo).port}/`,
      CASHIER_SECRET: "",
      PAY_NOTIFY_BASE_URL: "http://gateway.example",
    });
    for (const service of ["user", "notification", "living-room", "wallet", "payment"] as const)
      await migrate(databaseName(service), migrationFolders[service]);
    payment = (await startPayment("payment")).service;
    await startNode("others", [user, notification, livingRoom, wallet]);
    ({ base } = await startGateway(["user", "notification", "living-room", "wallet", "payment"]));
    await payment.broker.waitForServices(["wallet"]);
    browser = await startChromium(chromiumPath as string);
  });
  afterAll(async () => {
    await browser?.close();
    await stopAll();
    await wechat.server.stop();
    await alipay.server.stop();
    sms.closeAllConnections();
    await new Promise((resolve) => sms.close(resolve));
  });

  beforeEach(async () => {
    person = await openWindow(browser, base);
    ({ page } = person);
    await page.clock.install();
    const phone = randomPhone();
    await logIn(page, phone, () => codes.get(phone));
    await page.getByTestId("recharge").click();
  });
  afterEach(async () => {
    expect(person.problems).toEqual([]);
    await page.context().close();
  });

  /** Hands a provider's call in where providers call, and expects that it is taken. */
  async function provide(path: "wxNotify" | "aliNotify", { body, headers }: RawWebhook): Promise<void> {
    const answer = await fetch(`${base}/live/bank/payNotify/${path}`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
  }

  const product = (id: number) => page.locator(`[data-testid="product"][data-product-id="${id}"]`);
  const status = (news: string) => page.locator(`[data-testid="pay-status"][data-status="${news}"]`);
  async function orderId(): Promise<string> {
    const text = (await page.getByTestId("paying").textContent()) ?? "";
    return /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(text)?.[0] ?? "";
  }

  /** What a phone's camera reads off the screen. */
  async function scanned(): Promise<string | undefined> {
    const side = 240;
    const pixels = await page.getByTestId("pay-code").locator("svg").evaluate(drawn, side);
    const rgba = [...pixels].flatMap((dark) => (dark === "1" ? [0, 0, 0, 255] : [255, 255, 255, 255]));
    return decodeQr.default(Uint8ClampedArray.from(rgba), side, side)?.data;
  }

  test("it offers the channels that are open and no other, and no cashier", async () => {
    await page.getByTestId("channel-wechat").waitFor();
    const offered = page.locator('[data-testid^="channel-"]');
    expect(await offered.evaluateAll((all) => all.map((one) => one.getAttribute("data-testid")))).toEqual([
      "channel-wechat",
      "channel-alipay",
    ]);
    expect(await offered.allTextContents()).toEqual(["微信支付", "支付宝"]);
    await page.getByTestId("recharge-dialog-close").click();
    await page.getByTestId("language").click();
    await page.getByTestId("recharge").click();
    await page.getByTestId("channel-wechat").waitFor();
    expect(await offered.allTextContents()).toEqual(["WeChat Pay", "Alipay"]);
    expect((await fetch(`${base}/sandbox/cashier?orderId=x`)).status).toBe(404);
  });

  test("WeChat Pay: the QR code has WeChat Pay's address; once paid, the coins arrive and the page shows it", async () => {
    await product(6).click();
    await page.getByTestId("pay-code").waitFor();
    const tradeNo = tradeNoOf(await orderId());
    expect(await scanned()).toBe(`weixin://wxpay/bizpayurl?pr=${tradeNo.slice(-9)}`);
    expect(await page.getByTestId("pay-amount").textContent()).toBe("¥30.00");
    expect(await page.getByTestId("pay-countdown").textContent()).toMatch(/1[45]:\d\d/);
    expect(page.context().pages()).toHaveLength(1);
    expect(wechat.pay(tradeNo)).toBe(true);
    await provide("wxNotify", wechat.paidWebhook(tradeNo));
    await page.clock.runFor(5_000);
    await status("credited").waitFor();
    expect(await page.getByTestId("pay-code").isVisible()).toBe(false);
    await shownNumber(page, "balance", { is: 300 });
  });

  test("Alipay: its page opens in a window of its own, which cannot reach ours; paid, the coins arrive", async () => {
    await page.getByTestId("channel-alipay").click();
    const [popup] = await Promise.all([page.context().waitForEvent("page"), product(6).click()]);
    await popup.waitForURL(/gateway\.do\?/);
    const tradeNo = alipay.open(popup.url());
    expect(await popup.evaluate("window.opener")).toBeNull();
    expect(await page.getByTestId("cashier-link").getAttribute("href")).toBe(popup.url());
    expect(tradeNo).toBe(tradeNoOf(await orderId()));
    alipay.pay(tradeNo);
    await provide("aliNotify", alipay.webhook(tradeNo));
    await page.clock.runFor(5_000);
    await status("credited").waitFor();
    await shownNumber(page, "balance", { is: 300 });
  });

  test("where the window is blocked a link to the same page is there, and that is said", async () => {
    await page.evaluate("window.open = () => null");
    await page.getByTestId("channel-alipay").click();
    await product(7).click();
    const link = page.getByTestId("cashier-link");
    await link.waitFor();
    expect(await page.getByTestId("pay-status").textContent()).toContain("拦截");
    expect(tradeNoOf(await orderId())).toBe(alipay.open((await link.getAttribute("href")) ?? ""));
  });

  test("when the time is over the code goes and that is said; what was paid at the last moment is still told", async () => {
    await product(6).click();
    await page.getByTestId("pay-code").waitFor();
    const tradeNo = tradeNoOf(await orderId());
    await page.clock.fastForward("15:01");
    await status("expired").waitFor();
    expect(await page.getByTestId("pay-code").isVisible()).toBe(false);
    wechat.pay(tradeNo);
    await provide("wxNotify", wechat.paidWebhook(tradeNo));
    await page.clock.runFor(5_000);
    await status("credited").waitFor();
  });

  test("an order that was cancelled is said to be, and another can be made", async () => {
    await product(6).click();
    await page.getByTestId("pay-code").waitFor();
    await moveOrder(payment.mysql, await orderId(), "cancelled");
    await page.clock.runFor(5_000);
    await status("cancelled").waitFor();
    await page.getByTestId("pay-again").click();
    await product(6).waitFor();
  });

  test("another channel can be chosen while one waits, and it can be left, all by keyboard", async () => {
    await page.getByTestId("channel-wechat").locator("input").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByTestId("pay-code").waitFor();
    const first = await orderId();
    const other = page.getByTestId("pay-other");
    expect(await other.getAttribute("data-channel")).toBe("alipay");
    for (let tabs = 0; tabs < 10 && !(await other.evaluate(hasFocus, undefined)); tabs++)
      await page.keyboard.press("Tab");
    const [popup] = await Promise.all([page.context().waitForEvent("page"), page.keyboard.press("Enter")]);
    await popup.waitForURL(/gateway\.do\?/);
    await popup.close();
    await page.locator('[data-testid="paying"][data-kind="redirect"]').waitFor();
    expect(await orderId()).not.toBe(first);
    await page.getByTestId("pay-again").focus();
    await page.keyboard.press("Enter");
    await product(6).waitFor();
  });

  test("a channel that does not answer is said not to, and the choice stays", async () => {
    wechat.server.down = true;
    try {
      const answered = page.waitForResponse((response) => response.url().endsWith("/bank/payProduct"));
      await product(6).click();
      expect((await answered).status()).toBe(503);
      await page.getByTestId("recharge-error").filter({ hasText: /./ }).waitFor();
      expect(await product(6).isVisible()).toBe(true);
    } finally {
      wechat.server.down = false;
    }
  });

  test("it fits a telephone in both languages: nothing is wider than the screen", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const language of ["zh", "en"]) {
      await product(6).waitFor();
      const shots = process.env.PAY_PAGE_SHOTS;
      const shoot = async (name: string) => {
        if (!shots) return;
        for (const width of [390, 1_280]) {
          await page.setViewportSize({ width, height: 844 });
          await page.screenshot({ path: `${shots}/${name}-${language}-${width}.png` });
        }
        await page.setViewportSize({ width: 390, height: 844 });
      };
      await shoot("choose");
      await product(6).click();
      await page.getByTestId("pay-code").waitFor();
      const wider = (element: string) => page.evaluate<number>(`${element}.scrollWidth - ${element}.clientWidth`);
      expect([await wider("document.documentElement"), await wider('document.querySelector("dialog")')]).toEqual([
        0, 0,
      ]);
      await shoot("qr");
      await page.clock.fastForward("15:01");
      await status("expired").waitFor();
      await shoot("expired");
      await page.getByTestId("pay-again").click();
      await page.getByTestId("channel-alipay").click();
      const [popup] = await Promise.all([page.context().waitForEvent("page"), product(6).click()]);
      await page.getByTestId("cashier-link").waitFor();
      await popup.close();
      await shoot("redirect");
      await page.getByTestId("pay-again").click();
      await page.getByTestId("channel-wechat").click();
      await page.getByTestId("recharge-dialog-close").click();
      if (language === "zh") await page.getByTestId("language").click();
      await page.getByTestId("recharge").click();
    }
  });
});
