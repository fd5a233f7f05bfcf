/** The staff page as a person of the staff uses it: accounts, logging in, and what the browser reported. */
import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import type { Browser, Locator, Page } from "playwright-core";
import { adminUrl, operate } from "../support/client.ts";
import { setUpAtConsole } from "../support/set-up-at-console.ts";

export const password = "a pass phrase of the tests";

export interface StaffWindow {
  page: Page;
  /** Errors the browser reported: failed scripts, what the CSP refused, missing files. */
  problems: string[];
}

/** The browser notes every answer that is no 2xx: that nobody is logged in yet, and those of a busy system. */
const expected = /status of (401|429|503)/;

/** How a person looks at the page. */
export interface Look {
  viewport?: { width: number; height: number };
  language?: "en" | "zh";
}

export async function openStaffPage(
  browser: Browser,
  { viewport = { width: 1280, height: 800 }, language = "en" }: Look = {},
): Promise<StaffWindow> {
  const context = await browser.newContext({ viewport });
  context.setDefaultTimeout(60_000);
  await context.addInitScript({ content: `localStorage.setItem("ovation.language", "${language}")` });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(`${adminUrl()}/admin/`);
  await page.getByTestId("login-form").waitFor();
  return { page, problems };
}

/** A new person with a setup code, as an admin adds one. */
export async function invited(role: string): Promise<{ name: string; setupCode: string }> {
  const name = `${role}-${randomBytes(4).toString("hex")}`;
  const answer = await operate<{ setupCode: string }>("persons/add", { name, role });
  if (answer.code !== 200) throw new Error(`no person: ${JSON.stringify(answer)}`);
  return { name, setupCode: answer.data.setupCode };
}

/** Codes of the app: each is accepted once, so the next login needs the code of the next 30 seconds. */
export function codeOf(secret: string, stepsAhead = 0): string {
  const app = new TOTP({ secret: Secret.fromBase32(secret), algorithm: "SHA1", digits: 6, period: 30 });
  return app.generate({ timestamp: Date.now() + stepsAhead * 30_000 });
}

/** Waits for the person's name at the top. Fails with the text of the form, where it says what is wrong. */
export async function loggedIn(page: Page, name: string, form: "login-form" | "finish-form"): Promise<void> {
  const problem = page.getByTestId(`${form}-problem`);
  await page.getByTestId("person").filter({ hasText: name }).or(problem).waitFor();
  if (await problem.isVisible()) throw new Error(`not logged in: ${await problem.textContent()}`);
}

/** Sets the account up in the page; answers with the secret that the page shows for the app. */
export async function enrol(page: Page, { name, setupCode }: { name: string; setupCode: string }): Promise<string> {
  await page.getByTestId("to-enrol").click();
  await page.getByTestId("field-name").fill(name);
  await page.getByTestId("field-code").fill(setupCode);
  await page.getByTestId("enrol-form-yes").click();
  const secret = ((await page.getByTestId("totp-secret").textContent()) ?? "").replaceAll(" ", "");
  await page.getByTestId("field-password").fill(password);
  await page.getByTestId("field-again").fill(password);
  await page.getByTestId("field-totp").fill(codeOf(secret));
  await page.getByTestId("finish-form-yes").click();
  await loggedIn(page, name, "finish-form");
  return secret;
}

/** A page of somebody with this role, logged in, who decides at once, as who was set up at a console. */
export async function staffAs(
  browser: Browser,
  role: string,
  look: Look = {},
): Promise<StaffWindow & { name: string }> {
  const window = await openStaffPage(browser, look);
  const person = await invited(role);
  await enrol(window.page, person);
  await setUpAtConsole(person.name);
  return { ...window, name: person.name };
}

/** Types into the search box, which "/" leads to, and presses Enter. */
export async function search(page: Page, text: string): Promise<void> {
  await page.locator("#main").focus();
  await page.keyboard.press("/");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** Whether the page, or the dialog over it, can be moved sideways; tables may. */
export function scrollsSideways(page: Page): Promise<boolean> {
  return page
    .locator("html, dialog[open]")
    .evaluateAll((all) => all.some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth));
}

/** What an action's dialog said before it was confirmed, a text for each effect, and afterwards. */
export interface Act {
  will: string[];
  done: string;
}

/**
 * An action from its button to the closed dialog, with a reason; with `leave` "link" by the link of the outcome. Fails
 * with the text of the dialog, where that says what is wrong.
 */
export async function act(
  page: Page,
  testid: string,
  reason: string,
  { within = page, leave = "close" }: { within?: Page | Locator; leave?: "close" | "link" } = {},
): Promise<Act> {
  await within.getByTestId(`${testid}-open`).click();
  const dialog = page.getByTestId(testid);
  await dialog.getByTestId("field-reason").fill(reason);
  const will = await dialog.getByTestId(`${testid}-effects`).locator("li").allTextContents();
  await dialog.getByTestId(`${testid}-yes`).click();
  const [panel, problem] = [dialog.getByTestId(`${testid}-done`), dialog.getByTestId(`${testid}-problem`)];
  await panel.or(problem).waitFor();
  if (await problem.isVisible()) throw new Error(`${testid}: ${await problem.textContent()}`);
  const done = (await panel.textContent()) ?? "";
  await dialog.getByTestId(`${testid}-${leave}`).click();
  await dialog.waitFor({ state: "detached" });
  return { will, done };
}
