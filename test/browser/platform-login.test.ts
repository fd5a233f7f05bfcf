/** A user of a platform in a real browser: she arrives with her JWT, and is sent back when it is over. */
import type { Browser } from "playwright-core";
import { apiUrl, Person } from "../support/client.ts";
import { claimsFor, newExternalId, sharedJwt } from "../support/platform.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { openWindow } from "./window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("a user of a platform", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 120_000);
  afterAll(() => browser?.close());

  test("is logged in by the token in the address, which nobody sees afterwards, and arrives at her view", async () => {
    const token = sharedJwt(claimsFor(newExternalId(), { name: "Lin of the platform" }));
    const { page, problems } = await openWindow(browser, `${apiUrl()}/#token=${token}&view=/statement`);
    const nickname = page.getByTestId("nickname").filter({ hasText: "Lin of the platform" });
    await nickname.waitFor();
    expect(page.url()).toBe(`${apiUrl()}/#/statement`);
    await page.reload();
    await nickname.waitFor();
    await page.goBack().catch(() => null);
    expect(page.url()).not.toContain("token");
    expect(problems).toEqual([]);
  }, 120_000);

  test("is told to log in at the platform when her JWT is over, and comes back with a new one", async () => {
    const id = newExternalId();
    const token = sharedJwt(claimsFor(id, { name: "Lin" }));
    const { page } = await openWindow(browser, `${apiUrl()}/#token=${token}`);
    await page.getByTestId("nickname").filter({ hasText: "Lin" }).waitFor();
    // As an expired one: the server refuses it.
    await (await Person.ofPlatform(token)).ask("userLogin/logout");
    await page.goto(`${apiUrl()}/#/statement`);
    await page.getByTestId("platform-login").waitFor();
    expect(await page.getByTestId("phone").count()).toBe(0);
    await page.reload();
    await page.getByTestId("platform-login").waitFor();
    await page.goto(`${apiUrl()}/#token=${sharedJwt(claimsFor(id, { name: "Lin", jti: "2" }))}`);
    await page.getByTestId("nickname").filter({ hasText: "Lin" }).waitFor();
  }, 120_000);

  test("a token of another user replaces an open session only where she agrees", async () => {
    const tokenOf = (name: string) => sharedJwt(claimsFor(newExternalId(), { name }));
    const { page, problems } = await openWindow(browser, `${apiUrl()}/#token=${tokenOf("Lin")}`);
    const lin = page.getByTestId("nickname").filter({ hasText: "Lin" });
    await lin.waitFor();
    const strange = `${apiUrl()}/#token=${tokenOf("Stranger")}&view=/statement`;
    await page.goto(strange);
    await page.getByTestId("switch-user-close").click();
    expect(await lin.count()).toBe(1);
    await page.reload();
    await lin.waitFor();
    await page.goto(strange);
    await page.getByTestId("switch-user-yes").click();
    await page.getByTestId("nickname").filter({ hasText: "Stranger" }).waitFor();
    expect(page.url()).toBe(`${apiUrl()}/#/statement`);
    expect(problems).toEqual([]);
  }, 120_000);

  test("a page of another site that opened hers has no hold of her window", async () => {
    const site = await browser.newPage();
    const [page] = await Promise.all([
      site.context().waitForEvent("page"),
      site.evaluate(`void (globalThis.held = open(${JSON.stringify(apiUrl())}))`),
    ]);
    await page.getByTestId("phone").waitFor();
    expect(await site.evaluate("held.closed")).toBe(true);
  }, 120_000);

  test("who logs in by phone sees the form, and what is no token is only removed from the address", async () => {
    const { page } = await openWindow(browser, `${apiUrl()}/#token=none`);
    await page.getByTestId("phone").waitFor();
    expect(page.url()).toBe(`${apiUrl()}/#/rooms`);
  }, 120_000);
});
