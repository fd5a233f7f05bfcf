/** The staff page in a real browser: setting up, logging in, searching, and a user's page. */
import type { Browser } from "playwright-core";
import { adminUrl, Person, post, scene } from "../support/client.ts";
import { settledOrders } from "../support/outcomes.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { codeOf, enrol, invited, openStaffPage, password, scrollsSideways, search, staffAs } from "./staff-window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("the staff page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterAll(() => browser?.close());

  test("a person sets the account up with a setup code, logs out, and in again after a reload", async () => {
    const { page, problems } = await openStaffPage(browser);
    const person = await invited("support");
    const secret = await enrol(page, person);

    await page.reload();
    await page.getByTestId("person").filter({ hasText: person.name }).waitFor();
    await page.getByTestId("logout").click();
    await page.getByTestId("login-form").waitFor();

    await page.getByTestId("field-name").fill(person.name);
    await page.getByTestId("field-password").fill("not the password");
    await page.getByTestId("field-totp").fill(codeOf(secret, 1));
    await page.getByTestId("login-form-yes").click();
    await page.getByTestId("login-form-problem").filter({ hasText: "wrong" }).waitFor();
    await page.getByTestId("field-password").fill(password);
    await page.getByTestId("field-totp").fill(codeOf(secret, 1));
    await page.getByTestId("login-form-yes").click();
    await page.getByTestId("person").filter({ hasText: person.name }).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("support finds a user by the end of the phone, and sees the phone in full only when asking for it", async () => {
    const user = await Person.login();
    const { page, problems } = await staffAs(browser, "support");
    await search(page, user.phone.slice(-6));
    await page.getByTestId("hits-user").getByTestId("hit").filter({ hasText: user.userId }).click();
    await page.getByTestId("user-id").filter({ hasText: user.userId }).waitFor();
    expect(await page.content()).not.toContain(user.phone);

    await page.getByTestId("phone-open").click();
    await page.getByTestId("field-reason").fill("calls back");
    await page.getByTestId("phone-yes").click();
    await page.getByTestId("phone-number").filter({ hasText: user.phone }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("phone").waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(user.phone);
    expect(problems).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("an order that was searched for shows its steps; a role without a right has no button for it", async () => {
    const { anchor, fan, roomId } = await scene();
    const { data } = await fan.send(roomId, anchor.userId, { giftId: 25 });
    await settledOrders([data.orderId]);
    const { page, problems } = await staffAs(browser, "viewer");
    await search(page, data.orderId);
    await page.getByTestId("hits-gift").getByTestId("hit").waitFor();
    await page.keyboard.press("Enter");
    const steps = page.getByTestId("step");
    await steps.first().waitFor();
    const names = await steps.evaluateAll((all) => all.map((step) => step.getAttribute("data-what")));
    expect(names.slice(0, 4)).toEqual(["accepted", "charged", "recorded", "event"]);

    await page.goto(`${adminUrl()}/admin/#/user/${fan.userId}`);
    await page.getByTestId("user-balance").waitFor();
    expect(await page.getByTestId("user-actions").locator("button").count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("what a user wrote stays text, on a wide and on a narrow screen", async () => {
    const anchor = await Person.login();
    const roomName = `<img src=x onerror="window.taken=1"><b>`;
    const room = await post<{ roomId: number }>(
      "/live/api/living/startingLiving",
      { type: 1, roomName },
      { token: anchor.token },
    );
    const { page, problems } = await staffAs(browser, "support");
    await search(page, String(room.data.roomId));
    await page.getByTestId("hits-room").getByTestId("hit").click();
    await page.getByTestId("room-name").filter({ hasText: roomName }).waitFor();
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await scrollsSideways(page)).toBe(false);
    }
    expect(await page.evaluate("window.taken")).toBeUndefined();
    expect(problems).toEqual([]);
    await page.context().close();
  }, 120_000);
});
