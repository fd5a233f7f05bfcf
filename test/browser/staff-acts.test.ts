/** Acts on the staff page in a real browser: what the dialog says and does while nobody knows yet, and how acts are undone. */
import type { Browser, Page } from "playwright-core";
import { adminUrl, operate, Person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { staffAs } from "./staff-window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("an act on the staff page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterAll(() => browser?.close());

  const open = async (page: Page, path: string) => {
    await page.goto(`${adminUrl()}/admin/#/${path}`);
  };

  test("cannot be closed while it is sent; after a 503 it says that sending again is safe, and it is done once", async () => {
    const user = await Person.login();
    const { page } = await staffAs(browser, "finance");
    await open(page, `user/${user.userId}`);
    await page.getByTestId("adjust-open").click();
    await page.getByTestId("field-coins").fill("7");
    await page.getByTestId("field-reason").fill("a complaint");

    // The act is carried out, and its answer comes late as a 503.
    let answer = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/live/admin/wallet/adjust", async (route) => {
      await route.fetch();
      await late;
      await route.fulfill({ status: 503, json: { code: 503, msg: "away", data: null } });
    });
    await page.getByTestId("adjust-yes").click();
    await eventually("the coins", async () => (await user.balance()) === 7);
    for (const press of ["Escape", "Escape"]) await page.keyboard.press(press);
    await page.getByTestId("adjust-close").click();
    expect(await page.getByTestId("adjust").isVisible()).toBe(true);
    answer();
    await page.getByTestId("adjust-problem").filter({ hasText: "Pressing again here is safe" }).waitFor();

    await page.unroute("**/live/admin/wallet/adjust");
    await page.getByTestId("adjust-yes").click();
    await page.getByTestId("adjust-done").waitFor();
    expect(await page.locator(":focus").textContent()).toBe("Close");
    expect(await user.balance()).toBe(7);
    await page.context().close();
  }, 120_000);

  test("whose dialog another view has ended tells its outcome all the same", async () => {
    const user = await Person.login();
    const { page } = await staffAs(browser, "finance");
    await open(page, `user/${user.userId}`);
    await page.getByTestId("adjust-open").click();
    await page.getByTestId("field-coins").fill("7");
    await page.getByTestId("field-reason").fill("a complaint");
    let answer = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/live/admin/wallet/adjust", async (route) => {
      await late;
      await route.continue();
    });
    const asked = page.waitForRequest("**/live/admin/wallet/adjust");
    await page.getByTestId("adjust-yes").click();
    await asked;
    await open(page, "proposals");
    await page.getByTestId("adjust").waitFor({ state: "detached" });
    answer();
    await page.getByTestId("toast-notice").filter({ hasText: "Adjusted by 7 coins" }).waitFor();
    await page.context().close();
  }, 120_000);

  test("that lifts a restriction is undone with the end that it had", async () => {
    const user = await Person.login();
    const added = await operate("restriction/add", { userId: user.userId, kind: "mute", reason: "spam" });
    expect(added.code).toBe(200);
    const { page, problems } = await staffAs(browser, "support");
    await open(page, `user/${user.userId}?tab=restrictions`);
    await page.getByTestId("lift-open").click();
    await page.getByTestId("field-reason").fill("a mistake");
    await page.getByTestId("lift-yes").click();
    await page.getByTestId("lift-undo").click();
    expect(await page.getByTestId("field-length").inputValue()).toBe("ever");
    await page.getByTestId("field-reason").fill("it was none");
    await page.getByTestId("mute-yes").click();
    await page.getByTestId("mute-done").waitFor();
    const { data } = await operate<{ list: { until: string | null }[] }>("restriction/list", {
      ...{ userId: user.userId, active: 1 },
    });
    expect(data.list.map(({ until }) => until)).toEqual([null]);
    expect(problems).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("removes a chat message that the room's page shows, and mutes its sender there", async () => {
    const [anchor, fan] = await Promise.all([Person.login(), Person.login()]);
    const roomId = await anchor.openRoom();
    const viewer = await fan.enter(roomId);
    viewer.send(1003, { bizCode: 5555, data: { content: "call me on 12345" } });
    await eventually("the chat", async () => viewer.business(5555).length > 0);
    const { page, problems } = await staffAs(browser, "support");
    await open(page, `room/${roomId}`);
    const row = page.getByTestId("chat-row").filter({ hasText: "call me on 12345" });
    await row.getByTestId("chat-mute").click();
    await page.getByTestId("field-reason").fill("phone numbers");
    await page.getByTestId("mute-yes").click();
    await page.getByTestId("mute-done").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("restrictions-row").filter({ hasText: fan.userId }).waitFor();

    await row.getByTestId("chat-remove").click();
    await page.getByTestId("field-reason").fill("phone numbers");
    await page.getByTestId("remove-chat-yes").click();
    await page.getByTestId("remove-chat-done").waitFor();
    await row.waitFor({ state: "detached" });
    expect(problems).toEqual([]);
    viewer.close();
    await anchor.ask("living/closeLiving", { roomId });
    await page.context().close();
  }, 120_000);
});
