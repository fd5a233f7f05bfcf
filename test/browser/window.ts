/** A window of the page as a person uses it: what is done in it, and what is waited for. Nothing here sleeps. */
import { randomInt } from "node:crypto";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { apiUrl } from "../support/client.ts";

export interface PersonWindow {
  page: Page;
  /** Errors the browser reported: failed scripts, refused resources (CSP), missing files. */
  problems: string[];
  /** The addresses of the WebSockets that the page opened. */
  sockets: URL[];
}

/**
 * What the browser notes of a busy system's answers: the page asks again, or connects again. Faults of what a WebSocket
 * brings, and other answers to its handshake, are none of these.
 */
const busy = new RegExp(
  [
    "status of (429|503)",
    "^WebSocket connection to \\S+ failed: (Connection closed before|Error in connection establishment|$)",
    "^WebSocket connection to \\S+ failed: .*Unexpected response code: (429|503)",
  ].join("|"),
);

const desk = { width: 1200, height: 820 };

export function openWindow(browser: Browser, url: string): Promise<PersonWindow> {
  return open(browser, url, desk);
}

/** A window of somebody who is logged in, in English, at an address of the page such as #/statement. */
export function openAs(
  browser: Browser,
  { userId, token }: { userId: string; token: string },
  hash: string,
  viewport = desk,
): Promise<PersonWindow> {
  const session = JSON.stringify({ userId, token });
  return open(browser, `${apiUrl()}/${hash}`, viewport, (context) =>
    context.addInitScript((kept) => {
      sessionStorage.setItem("ovation.session", kept);
      localStorage.setItem("ovation.language", "en");
    }, session),
  );
}

async function open(
  browser: Browser,
  url: string,
  viewport: typeof desk,
  prepare?: (context: BrowserContext) => Promise<unknown>,
): Promise<PersonWindow> {
  const context = await browser.newContext({ viewport });
  context.setDefaultTimeout(60_000); // a busy machine takes 20 s to open four windows
  await prepare?.(context);
  const page = await context.newPage();
  const problems: string[] = [];
  const sockets: URL[] = [];
  page.on("websocket", (socket) => sockets.push(new URL(socket.url())));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !busy.test(text)) problems.push(`${text} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  return { page, problems, sockets };
}

export function randomPhone(): string {
  return `139${String(randomInt(100_000_000)).padStart(8, "0")}`;
}

/**
 * Logs in with the code that the local profile shows, or else the one that was `sent` to the phone; answers with the
 * nickname in the header.
 */
export async function logIn(page: Page, phone: string, sent?: () => string | undefined): Promise<string> {
  await page.getByTestId("phone").fill(phone);
  await page.getByTestId("get-code").click();
  await page.getByTestId("code-news").waitFor();
  if (sent) await page.getByTestId("code").fill(sent() ?? "");
  await page.getByTestId("login").click();
  const nickname = page.locator('[data-testid="nickname"]:not(:empty)');
  await nickname.waitFor();
  return (await nickname.textContent()) ?? "";
}

/** Waits until a number that is shown (balance, income) fits, and answers with it. */
export async function shownNumber(page: Page, testId: string, wanted: { is?: number; not?: number }): Promise<number> {
  const fits = wanted.is === undefined ? `:not([data-value="${wanted.not}"])` : `[data-value="${wanted.is}"]`;
  const shown = page.locator(`[data-testid="${testId}"]${fits}:not([data-value=""])`);
  await shown.waitFor();
  return Number(await shown.getAttribute("data-value"));
}

/** Buys the first product on offer and presses a button of the sandbox cashier in the window that opens. */
export async function recharge(page: Page, action: "pay" | "cancel"): Promise<void> {
  await page.getByTestId("recharge").click();
  const [cashier] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByTestId("product").first().click(),
  ]);
  const button = cashier.locator(`button[name="action"][value="${action}"]`);
  await button.waitFor();
  await Promise.all([cashier.waitForResponse((response) => response.request().method() === "POST"), button.click()]);
  // A window that is closed while its answer is still loading may never say that it is closed.
  await button.waitFor({ state: "detached" });
  await cashier.waitForLoadState("load");
  await cashier.close();
}

export async function chooseCheapestGift(page: Page): Promise<{ giftId: string; price: number }> {
  const cards = await page.getByTestId("gift").all();
  const offers = await Promise.all(
    cards.map(async (card) => ({
      card,
      giftId: (await card.getAttribute("data-gift-id")) ?? "",
      price: Number(await card.getAttribute("data-price")),
    })),
  );
  const cheapest = offers.reduce((best, offer) => (offer.price < best.price ? offer : best));
  await cheapest.card.click();
  return cheapest;
}

/** The effect over the stage and the line in the feed that a gift leaves; to be asked for before it is sent. */
export async function giftSeen(page: Page, giftId: string, count: number): Promise<void> {
  const line = page.locator(`[data-testid="feed-gift"][data-gift-id="${giftId}"][data-count="${count}"]`);
  const effect = page.locator(`[data-testid="gift-effect"][data-gift-id="${giftId}"]`);
  await Promise.all([line.waitFor(), effect.first().waitFor()]);
}

export async function say(page: Page, content: string): Promise<void> {
  await page.getByTestId("chat-input").fill(content);
  await page.getByTestId("chat-send").click();
}

/** A chat line as the room repeated it: one's own counts only once the room had it. */
export function chatLine(page: Page, content: string): Locator {
  return page.locator('[data-testid="feed-chat"]:not(.pending)').filter({ hasText: content });
}

export async function connected(page: Page): Promise<void> {
  await page.locator('[data-testid="im-status"][data-state="online"]').waitFor();
}
