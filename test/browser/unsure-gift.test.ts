/** A gift in a real browser whose acceptance is not known: the page asks, repeats safely, and shows one gift once. */
import type { Browser, Page, Route } from "playwright-core";
import { operate, type Person, scene } from "../support/client.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { connected, openAs, shownNumber } from "./window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("the gift tray, where nobody can say whether a gift was accepted,", () => {
  let browser: Browser;
  let anchor: Person;
  let fan: Person;
  let page: Page;
  let price: number;

  beforeAll(async () => {
    const [opened, people] = await Promise.all([startChromium(chromiumPath!), scene()]);
    browser = opened;
    ({ anchor, fan } = people);
    page = await inRoom(fan, people.roomId);
    price = Number(await page.getByTestId("gift").first().getAttribute("data-price"));
  }, 120_000);
  afterEach(() => page.unrouteAll());
  afterAll(() => browser?.close());

  async function inRoom(person: Person, roomId: number): Promise<Page> {
    const { page } = await openAs(browser, person, `#/room/${roomId}`);
    await connected(page);
    return page;
  }

  /** The bodies of the page's requests to send a gift; the first of them is answered by `answer`. */
  async function sendingThrough(answer: (route: Route) => Promise<void>): Promise<unknown[]> {
    const sent: unknown[] = [];
    await page.route("**/live/api/gift/send", async (route) => {
      sent.push(route.request().postDataJSON());
      await (sent.length === 1 ? answer(route) : route.continue());
    });
    return sent;
  }

  const unsure = (route: Route, orderId: string) =>
    route.fulfill({
      status: 503,
      headers: { "Retry-After": "1" },
      json: { code: 503, msg: "service unavailable", data: { orderId } },
    });

  /** The gifts of the feed, where one may show later than the balance that paid for it. */
  async function expectInFeed(count: number): Promise<void> {
    const lines = page.getByTestId("feed-gift");
    await lines.nth(count - 1).waitFor();
    expect(await lines.count()).toBe(count);
  }

  /** Presses the button, and waits until the outcome is shown. */
  async function give(): Promise<void> {
    await page.getByTestId("gift-status").evaluate((status) => status.removeAttribute("data-news"));
    await page.getByTestId("gift-send").click();
    await page.locator('[data-testid="gift-status"][data-news="trayDone"]').waitFor();
  }

  test("finds a gift that was accepted, sends no other, and shows it once", async () => {
    const sent = await sendingThrough(async (route) => {
      const { data } = (await (await route.fetch()).json()) as { data: { orderId: string } };
      await unsure(route, data.orderId);
    });
    await give();
    await shownNumber(page, "balance", { is: 1_000 - price });
    expect(sent).toHaveLength(1);
    await expectInFeed(1);
    expect(await anchor.ask("gift/records", { direction: "received" })).toMatchObject({
      list: [{ status: "succeeded" }],
    });
  }, 120_000);

  test("sends a gift that was not accepted again, as the same request", async () => {
    const sent = await sendingThrough((route) => unsure(route, "1f0e1a52-6f0c-5b52-9d5e-0d4f5a2f8c11"));
    await give();
    await shownNumber(page, "balance", { is: 1_000 - 2 * price });
    // A busy system may answer a repeat with a 503 of its own.
    expect(sent.length).toBeGreaterThanOrEqual(2);
    expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
    await expectInFeed(2);
  }, 120_000);

  test("keeps a gift that nobody answered, and that was refused after that, open: sent again it is the same request", async () => {
    const sent: unknown[] = [];
    const answers = [
      async (route: Route) => {
        await route.fetch();
        await route.abort("connectionreset");
      },
      (route: Route) => route.fulfill({ status: 429, json: { code: -10001, msg: "too many requests", data: null } }),
      (route: Route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }),
      (route: Route) => route.fulfill({ status: 200, json: { code: 10010, msg: "insufficient balance", data: null } }),
    ];
    await page.route("**/live/api/gift/send", async (route) => {
      sent.push(route.request().postDataJSON());
      await (answers.shift()?.(route) ?? route.continue());
    });
    for (let left = 2; left > 0; left--) {
      await page.getByTestId("gift-status").evaluate((status) => status.removeAttribute("data-news"));
      await page.getByTestId("gift-send").click();
      await page.locator('[data-testid="gift-status"][data-news="trayUnanswered"]').waitFor();
      await page.locator('[data-testid="gift-send"][aria-busy="true"]').waitFor({ state: "detached" });
    }
    await give();
    await shownNumber(page, "balance", { is: 1_000 - 3 * price });
    expect(sent.length).toBeGreaterThanOrEqual(5);
    expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
    await expectInFeed(3);
    await give();
    await shownNumber(page, "balance", { is: 1_000 - 4 * price });
    expect(sent.at(-1)).not.toEqual(sent[0]);
  }, 120_000);

  test("shows why a frozen account cannot send a gift", async () => {
    await operate("account/freeze", { userId: fan.userId, reason: "checked" });
    await page.getByTestId("gift-send").click();
    await page.getByText("account invalid or frozen").waitFor();
    await expectInFeed(4);
  }, 120_000);
});
