/** The statement in a real browser: what a refund could not take back, and what is held of income. */
import type { Browser, Page } from "playwright-core";
import { operate, type Person, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { settledOrders, tradesOfUser } from "../support/outcomes.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { openAs } from "./window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("the statement's page", () => {
  let browser: Browser;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterAll(() => browser?.close());

  async function statementOf(person: Person): Promise<Page> {
    const window = await openAs(browser, person, "#/statement");
    await window.page.getByTestId("statement-balance").waitFor();
    problems.push(...window.problems);
    return window.page;
  }

  const words = (page: Page, testId: string) => page.getByTestId(testId).allTextContents();

  test("shows the payer what is owed and why, and the anchor what is held back", async () => {
    const { anchor, fan, roomId } = await scene();
    const [recharge] = await tradesOfUser(fan.userId);
    const gifts = await Promise.all(Array.from({ length: 2 }, () => fan.send(roomId, anchor.userId, { giftId: 25 })));
    await settledOrders(gifts.map(({ data }) => data.orderId));
    await eventually("the income", async () => (await anchor.ask<{ earned: number }>("bank/income")).earned === 500);
    const orderId = recharge?.bizId as string;
    expect((await operate("order/refund", { orderId, reason: "chargeback" })).code).toBe(200);
    await eventually("the refund", async () => (await tradesOfUser(fan.userId)).length === 4);
    expect((await operate("income/hold", { orderId, reason: "chargeback" })).code).toBe(200);
    await fan.order(6);
    await eventually("a part is paid off", async () => (await tradesOfUser(fan.userId)).length === 6);

    const payer = await statementOf(fan);
    await payer.getByTestId("statement-debt").filter({ hasText: "700 owed" }).waitFor();
    await payer.getByTestId("trade-debt").first().waitFor();
    expect(await words(payer, "trade-debt")).toEqual([
      "300 of this recharge paid off a debt; 700 still owed",
      "1,000 were spent already and are owed; 1,000 owed in all",
    ]);
    const refund = payer.getByTestId("trade").filter({ hasText: "Nothing left to take back" });
    expect(await refund.textContent()).toContain(`Refunded order ${orderId}: 1,000`);

    const earner = await statementOf(anchor);
    await earner.getByTestId("statement-held").filter({ hasText: "500 more are held back" }).waitFor();
    expect(await words(earner, "statement-income")).toEqual(["0"]);
    expect(await earner.getByTestId("statement-debt").isVisible()).toBe(false);
    expect(problems).toEqual([]);
  }, 120_000);
});
