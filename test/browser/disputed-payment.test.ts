/**
 * A disputed payment in a real browser, from the complaint to the statement: a support person finds the payer, freezes
 * the account and asks for the refund; a finance person approves it, decides on the anchors' shares and reads the books.
 */
import { randomInt } from "node:crypto";
import type { Browser, Locator, Page } from "playwright-core";
import { operate, Person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { settledOrders } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { act, type Look, scrollsSideways, search, staffAs } from "./staff-window.ts";

const chromiumPath = findChromium();

/** Above FOUR_EYES_COINS: nobody refunds it alone. */
const paidCoins = 12_000;
/** A gift of 500 coins. */
const giftId = 25;

interface Dispute {
  payer: Person;
  /** Got 8,000 of the coins, so has a share of 4,000. */
  first: Person;
  /** Got 1,500 of them, so has a share of 750. */
  second: Person;
  orderId: string;
  /** The room of `first`. */
  roomId: number;
  close: () => Promise<void>;
}

/** A payer who bought 12,000 coins in one order, and gave 9,500 of them to two anchors. */
async function dispute(): Promise<Dispute> {
  const productId = randomInt(1_000_000, 1_000_000_000);
  const made = await operate("product/create", { productId, name: "120元旗鱼币", price: 12_000, coins: paidCoins });
  expect(made.code).toBe(200);
  const [payer, first, second] = await Promise.all([Person.login(), Person.login(), Person.login()]);
  const [roomId, secondRoom] = await Promise.all([first.openRoom(), second.openRoom()]);
  const orderId = await payer.order(productId);
  expect((await operate("product/offShelf", { productId })).code).toBe(200);
  await eventually("the coins", async () => (await payer.balance()) === paidCoins);
  const gifts = await Promise.all([
    payer.sent(roomId, first.userId, { giftId, count: 16 }),
    payer.sent(secondRoom, second.userId, { giftId, count: 3 }),
  ]);
  expect((await settledOrders(gifts)).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  for (const [anchor, coins] of [
    [first, 4_000],
    [second, 750],
  ] as const)
    await eventually("the income", async () => (await anchor.ask<{ earned: number }>("bank/income")).earned === coins);
  const close = async () => {
    await first.ask("living/closeLiving", { roomId });
    await second.ask("living/closeLiving", { roomId: secondRoom });
  };
  return { payer, first, second, orderId, roomId, close };
}

const rowWith = (page: Page, table: string, text: string): Locator =>
  page.getByTestId(`${table}-row`).filter({ hasText: text });

const step = (page: Page, what: string): Locator => page.locator(`[data-testid="step"][data-what="${what}"]`);

/** Looks at a payment's story again until its coins are taken back, and what was missing of them is a debt. */
async function refundedStory(page: Page, orderId: string): Promise<void> {
  await page.getByTestId("story-facts").filter({ hasText: orderId }).waitFor();
  await eventually(
    "the story has the refund and the debt",
    async () => {
      await page.getByTestId("story-refresh").click();
      const done = await step(page, "refunded").evaluateAll((all) =>
        all.every((one) => one.getAttribute("data-state") === "done") ? all.length : 0,
      );
      return done === 2 && (await step(page, "debt").count()) === 1;
    },
    60_000,
  );
}

/** Waits until the navigation says that so many proposals wait. */
async function proposalsWait(page: Page, count: number): Promise<void> {
  const shown = page.getByTestId("count-proposals");
  if (count > 0) await shown.filter({ hasText: new RegExp(`^${count}$`) }).waitFor();
  else await shown.waitFor({ state: "hidden" });
}

(chromiumPath ? describe : describe.skip)("a disputed payment on the staff page", () => {
  let browser: Browser;
  const open: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
  });
  afterAll(async () => {
    await browser?.close();
    await expectWholeBooksBalanced();
  });

  async function prepared(): Promise<Dispute> {
    const made = await dispute();
    open.push(made.close);
    return made;
  }

  async function person(role: string, look: Look = {}) {
    const window = await staffAs(browser, role, look);
    open.push(() => window.page.context().close());
    return window;
  }

  test("support freezes and asks for the refund, finance approves, decides on the holds and reads the statement", async () => {
    const { payer, first, second, orderId, roomId } = await prepared();

    const support = await person("support");
    await search(support.page, payer.phone.slice(-4));
    await support.page.getByTestId("hits-user").getByTestId("hit").filter({ hasText: payer.userId }).click();
    await support.page.getByTestId("user-id").filter({ hasText: payer.userId }).waitFor();
    const frozen = await act(support.page, "freeze", "the card's owner complains");
    expect(frozen.will[2]).toBe("The balance of 2,500 coins stays; gifts that were accepted are still settled.");
    await support.page.getByTestId("user-badges").getByText("account frozen").waitFor();
    expect((await payer.send(roomId, first.userId, { giftId })).code).toBe(10012);

    await support.page.getByTestId("tab-payments").click();
    await rowWith(support.page, "payments", orderId).click();
    await support.page.getByTestId("story-facts").filter({ hasText: orderId }).waitFor();
    const asked = await act(support.page, "refund", "stolen card");
    expect(asked.will[0]).toBe("The order is refunded once: 12,000 coins are taken back from the payer.");
    expect(asked.done).toContain("Nothing has moved yet: this is above the bound.");
    const hers = rowWith(support.page, "proposals", "stolen card");
    await hers.getByTestId("proposal-not-mine").filter({ hasText: "another person must decide" }).waitFor();
    expect(await support.page.getByTestId("approve-open").count()).toBe(0);
    expect(await payer.balance()).toBe(2_500);

    const finance = await person("finance");
    const { list: waiting } = (await operate<{ list: unknown[] }>("proposals/list", { open: 1, limit: 100 })).data;
    await proposalsWait(finance.page, waiting.length);
    await finance.page.getByTestId("nav-proposals").click();
    const proposal = rowWith(finance.page, "proposals", orderId);
    await proposal.filter({ hasText: support.name }).filter({ hasText: "stolen card" }).waitFor();
    const approved = await act(finance.page, "approve", "the bank confirms it", { within: proposal, leave: "link" });
    expect(approved.will).toEqual([
      `Refunds order ${orderId}: takes 12,000 coins back from payer ${payer.userId}`,
      "What was spent becomes a debt that later recharges pay off.",
      "The provider returns the money to the payer.",
      "It is carried out at once, once, and cannot be taken back by declining.",
    ]);
    expect(approved.done).toContain("Approved, and carried out.");
    await proposalsWait(finance.page, waiting.length - 1);
    await refundedStory(finance.page, orderId);
    await finance.page.getByTestId("story-state").filter({ hasText: "refunded" }).waitFor();
    expect(await step(finance.page, "debt").textContent()).toContain("9,500");
    await rowWith(finance.page, "proposals", finance.name).filter({ hasText: "the bank confirms it" }).waitFor();

    const share = (anchor: Person) => rowWith(finance.page, "affected", anchor.userId);
    await share(first).filter({ hasText: "400,000 points (4,000 coins)" }).filter({ hasText: "not held" }).waitFor();
    const held = await act(finance.page, "hold", "paid with a stolen card", { within: share(first) });
    expect(held.will[0]).toBe("The anchor's share of 400,000 points (4,000 coins) is held back.");
    expect(held.done).toContain("The shares are held back.");
    await share(first).getByTestId("release-hold-open").waitFor();
    await act(finance.page, "hold", "paid with a stolen card", { within: share(second) });
    const released = await act(finance.page, "release-hold", "the platform bears it", { within: share(second) });
    expect(released.will[0]).toBe("The held share of 75,000 points (750 coins) goes back to the anchor.");
    await share(second).filter({ hasText: "released" }).waitFor();
    expect(await share(second).locator("button").count()).toBe(0);
    await share(first).getByText("held", { exact: true }).waitFor();
    expect(await first.ask("bank/income")).toMatchObject({ income: 0, heldBack: 4_000 });
    expect(await second.ask("bank/income")).toMatchObject({ income: 750, heldBack: 0 });

    // What was done about the order, and by whom.
    await finance.page.getByTestId("story-audit").click();
    for (const [who, call] of [
      [support.name, "order/refund"],
      [finance.name, "income/hold"],
      [finance.name, "income/release"],
    ] as const)
      await rowWith(finance.page, "audit", call)
        .filter({ hasText: who })
        .filter({ hasText: "succeeded" })
        .first()
        .waitFor();
    await finance.page.goBack();
    await rowWith(finance.page, "proposals", "the bank confirms it").getByTestId("proposal-id").click();
    await rowWith(finance.page, "audit", "proposals/approve").filter({ hasText: finance.name }).waitFor();
    await finance.page.goBack();

    await finance.page.getByTestId("story-facts").getByText(payer.userId).click();
    await finance.page.getByTestId("user-debt").filter({ hasText: "9,500 coins" }).waitFor();
    await rowWith(finance.page, "statement", "Recharge").waitFor();
    const rows = await finance.page.getByTestId("statement-row").allTextContents();
    expect(rows).toHaveLength(4);
    for (const words of ["Refund", "−2,500", orderId, "9,500 were spent already and are owed; 9,500 owed in all"])
      expect(rows[0]).toContain(words);
    expect(rows[3]).toContain("+12,000");
    await finance.page.getByTestId("tab-audit").click();
    await rowWith(finance.page, "audit", "account/freeze").filter({ hasText: support.name }).waitFor();
    await rowWith(finance.page, "audit", "user/statement").filter({ hasText: finance.name }).first().waitFor();
    expect([...support.problems, ...finance.problems]).toEqual([]);
  }, 240_000);

  test("in Chinese and on a screen of 390 pixels nothing on this way goes over the edge", async () => {
    const { payer, first, orderId } = await prepared();
    expect((await operate("account/freeze", { userId: payer.userId, reason: "complaint" })).code).toBe(200);
    const asked = await operate("order/refund", { orderId, reason: "stolen card" });
    expect(asked).toMatchObject({ code: 200, data: { state: "proposed" } });

    const { page, problems } = await person("finance", { viewport: { width: 390, height: 844 }, language: "zh" });
    const fits = async (shown: Locator) => {
      await shown.first().waitFor();
      expect(await scrollsSideways(page)).toBe(false);
    };
    /** An action as `act` does it, looked at while its dialog is open. */
    const look = async (testid: string, within: Locator) => {
      await within.getByTestId(`${testid}-open`).click();
      await fits(page.getByTestId(`${testid}-effects`).locator("li"));
      await page.getByTestId(`${testid}-close`).click();
    };

    await search(page, payer.phone.slice(-4));
    const hit = page.getByTestId("hit").filter({ hasText: payer.userId });
    await fits(hit);
    await hit.click();
    await fits(page.getByTestId("user-badges").getByText("账户已冻结"));
    await page.getByTestId("menu").click();
    await fits(page.getByTestId("nav-proposals"));
    await page.getByTestId("nav-proposals").click();
    const proposal = rowWith(page, "proposals", orderId);
    await fits(proposal.getByText("待决定"));
    await look("approve", proposal);
    await act(page, "approve", "银行已确认", { within: proposal });
    await proposal.waitFor({ state: "detached" });

    await search(page, orderId);
    await fits(page.getByTestId("hits-payment").getByText("已退款"));
    await page.getByTestId("hits-payment").getByTestId("hit").click();
    await refundedStory(page, orderId);
    const share = rowWith(page, "affected", first.userId);
    await fits(share.getByText("未暂扣"));
    await fits(rowWith(page, "proposals", "银行已确认"));
    await look("hold", share);

    await page.getByTestId("story-facts").getByText(payer.userId).click();
    await fits(rowWith(page, "statement", "共欠 9,500 币"));
    for (const tab of ["payments", "giftsSent", "audit"]) {
      await page.getByTestId(`tab-${tab}`).click();
      await fits(page.getByTestId(`${tab}-row`));
    }
    expect(problems).toEqual([]);
  }, 240_000);
});
