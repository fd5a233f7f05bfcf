/** Erasing a user on the staff page in a real browser: what the dialog says before, who decides, and what is left. */
import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { adminUrl, operate, Person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { act, scrollsSideways, staffAs } from "./staff-window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("erasing a user on the staff page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterAll(() => browser?.close());

  test("says what keeps the user from it, refuses until coins are given up, and happens once another person approves", async () => {
    const user = await Person.login();
    const adjust = { userId: user.userId, coins: 7, adjustId: randomUUID(), reason: "a gift of the house" };
    expect((await operate("wallet/adjust", adjust)).code).toBe(200);
    const roomId = await user.openRoom();
    const admin = await staffAs(browser, "admin");
    const { page } = admin;
    const dialog = page.getByTestId("erase");
    const effects = () => dialog.getByTestId("erase-effects").locator("li").allTextContents();

    await page.goto(`${adminUrl()}/admin/#/user/${user.userId}`);
    await page.getByTestId("erase-open").click();
    await dialog.getByTestId("field-reason").fill("a letter");
    expect(await dialog.textContent()).toContain("7 coins");
    expect((await effects()).slice(0, 2)).toEqual([
      "Not yet: the user is live.",
      "Not yet: there are coins, which have to be given up.",
    ]);
    await dialog.getByTestId("erase-yes").click();
    await dialog.getByTestId("erase-problem").filter({ hasText: /\S/ }).waitFor();
    expect(await dialog.getByTestId("erase-done").count()).toBe(0);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await scrollsSideways(page)).toBe(false);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    await user.ask("living/closeLiving", { roomId });
    await page.getByTestId("erase-open").click();
    await dialog.getByTestId("field-giveUp").waitFor();
    expect((await effects()).filter((line) => line.startsWith("Not yet"))).toEqual([
      "Not yet: there are coins, which have to be given up.",
    ]);
    await dialog.getByTestId("field-giveUp").check();
    expect((await effects()).filter((line) => line.startsWith("Not yet"))).toEqual([]);
    expect((await effects()).at(-1)).toBe("Another person must approve it.");
    await dialog.getByTestId("field-reason").fill("a letter");
    await dialog.getByTestId("erase-yes").click();
    await dialog.getByTestId("erase-done").filter({ hasText: "Nothing is erased yet." }).waitFor();
    await dialog.getByTestId("erase-close").click();
    // Nothing has happened, and who has asked does not decide.
    expect(await user.balance()).toBe(7);
    await page.getByTestId("nav-proposals").click();
    const rowOn = (one: typeof page) => one.getByTestId("proposals-row").filter({ hasText: user.userId });
    await rowOn(page).getByTestId("proposal-not-mine").waitFor();

    const finance = await staffAs(browser, "finance");
    await finance.page.getByTestId("nav-proposals").click();
    const approved = await act(finance.page, "approve", "looked at", { within: rowOn(finance.page) });
    expect(approved.will[0]).toBe(`Erases user ${user.userId}; the coins and the income that are left are given up`);
    expect(approved.will).toContain(
      "Postings, orders and gifts stay under the user id; the account is closed for ever.",
    );

    await eventually("the user is logged out", async () => (await user.post("home/initPage")).code === 100002);
    await page.goto(`${adminUrl()}/admin/#/user/${user.userId}`);
    await eventually(
      "the page says that the user is erased",
      async () => {
        await page.reload();
        await page.getByTestId("user-balance").waitFor();
        return page
          .getByTestId("user-badges")
          .getByText(/^erased \(/)
          .isVisible();
      },
      30_000,
    );
    expect(await page.getByTestId("erase-open").count()).toBe(0);
    const again = await Person.login(user.phone);
    expect(again.userId).not.toBe(user.userId);
    expect(finance.problems).toEqual([]);
    expect(admin.problems).toEqual([]);
    for (const window of [admin, finance]) await window.page.context().close();
  }, 180_000);
});
