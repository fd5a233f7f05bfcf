/** The main job in a real browser: two people in two windows, a live room, a recharge, a gift, a talk. */
import type { Browser } from "playwright-core";
import { findChromium, startChromium } from "./chromium.ts";
import {
  chatLine,
  chooseCheapestGift,
  connected,
  giftSeen,
  logIn,
  openWindow,
  type PersonWindow,
  randomPhone,
  recharge,
  say,
  shownNumber,
} from "./window.ts";

const chromiumPath = findChromium();
const skipped = "SKIPPED: no Chromium on this machine; install chromium or set CHROMIUM_PATH";
const GIFT_COUNT = 7;

// Jest alone would only count it among the skipped, without a word on why.
if (!chromiumPath) process.stderr.write(`browser test ${skipped}\n`);

(chromiumPath ? describe : describe.skip)(`the page in a browser${chromiumPath ? "" : ` (${skipped})`}`, () => {
  let browser: Browser;
  let anchor: PersonWindow;
  let viewer: PersonWindow;

  beforeAll(async () => {
    const url = process.env.API_URL;
    if (!url) throw new Error("API_URL is not set: this test wants a running system, as `npm test` starts one");
    browser = await startChromium(chromiumPath!);
    [anchor, viewer] = await Promise.all([openWindow(browser, url), openWindow(browser, url)]);
  }, 120_000);

  afterAll(() => browser?.close());

  test("an anchor goes live, a viewer recharges, gives and talks, and both see it at once", async () => {
    const [anchorName] = await Promise.all([logIn(anchor.page, randomPhone()), logIn(viewer.page, randomPhone())]);

    // The anchor starts a room.
    const roomName = `Friday night ${Date.now()}`;
    await anchor.page.getByTestId("start-room").click();
    await anchor.page.getByTestId("start-name").fill(roomName);
    await anchor.page.getByTestId("start-submit").click();
    await anchor.page.getByTestId("you-anchor").waitFor();
    await connected(anchor.page);
    const incomeBefore = await shownNumber(anchor.page, "income", {});

    // The viewer comes by its link, as pasted into the address bar.
    await viewer.page.goto(await anchor.page.getByTestId("room-link").inputValue());
    await viewer.page.getByTestId("room-name").filter({ hasText: roomName }).waitFor();
    expect(await viewer.page.getByTestId("anchor-name").textContent()).toBe(anchorName);
    await connected(viewer.page);

    // Both asked for version 2, compressed.
    for (const { sockets } of [anchor, viewer])
      expect(sockets.map(({ searchParams: asked }) => [asked.get("v"), asked.get("compress")])).toContainEqual([
        "2",
        "deflate-raw",
      ]);

    // Coins: the balance rises when the cashier is paid.
    const poor = await shownNumber(viewer.page, "balance", {});
    await recharge(viewer.page, "pay");
    const rich = await shownNumber(viewer.page, "balance", { not: poor });
    expect(rich).toBeGreaterThan(poor);
    await viewer.page.locator('[data-testid="pay-status"][data-status="credited"]').waitFor();
    await viewer.page.getByTestId("recharge-dialog-close").click();

    // A gift with a count: both windows see it, the coins move.
    const { giftId, price } = await chooseCheapestGift(viewer.page);
    await viewer.page.getByTestId("gift-count").fill(String(GIFT_COUNT));
    await Promise.all([
      giftSeen(anchor.page, giftId, GIFT_COUNT),
      giftSeen(viewer.page, giftId, GIFT_COUNT),
      viewer.page.getByTestId("gift-send").click(),
    ]);
    await shownNumber(viewer.page, "balance", { is: rich - price * GIFT_COUNT });
    expect(await shownNumber(anchor.page, "income", { not: incomeBefore })).toBeGreaterThan(incomeBefore);

    // Both talk, both read both.
    await say(viewer.page, "bravo from the stalls");
    await say(anchor.page, "thank you all");
    for (const { page } of [anchor, viewer]) {
      await chatLine(page, "bravo from the stalls").waitFor();
      await chatLine(page, "thank you all").waitFor();
    }

    // The anchor ends it; the viewer sees that, and finds both movements in the statement.
    await anchor.page.getByTestId("close-room").click();
    await anchor.page.getByTestId("close-room-dialog-yes").click();
    await viewer.page.getByTestId("room-closed").waitFor();
    await viewer.page.getByTestId("nav-statement").click();
    await viewer.page.getByTestId("trade").first().waitFor();
    expect(await viewer.page.getByTestId("trade").count()).toBe(2);
  }, 180_000);

  test("nothing went wrong in either window: no failed script, no refused resource", () => {
    expect([...anchor.problems, ...viewer.problems]).toEqual([]);
  });

  test("the client library reads compressed frames in this browser", async () => {
    const gifts = [{ senderId: "7", receiverId: "1", giftId: 22, count: 3, orderTags: ["tag"] }];
    expect(await viewer.page.evaluate(readsCompressed)).toEqual(gifts);
  });
});

/**
 * A script of the page, as text, since the test's compiler would change its import: the library on a socket that greets
 * and sends a compressed frame.
 */
const readsCompressed = `(async () => {
  const { createImClient } = await import("/js/im-client.js");
  const frame = { code: 1003, body: { bizCode: 5556, data: { seq: 1, epoch: "e", gifts: [["7", 22, 3, "tag"]] } } };
  const text = new Blob([JSON.stringify(frame)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const compressed = await new Response(text).arrayBuffer();
  class Socket extends EventTarget {
    readyState = 1;
    constructor() {
      super();
      const greeting = JSON.stringify({ code: 1001, body: { userId: "5", epoch: "e", seq: 0, v: 2, anchorId: "1" } });
      for (const data of [greeting, compressed])
        setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
    }
    send() {}
    close() {}
  }
  const client = createImClient({ version: 2, WebSocket: Socket, url: () => "ws://test/im" });
  const { data } = await new Promise((resolve) => {
    client.on("business", resolve);
    client.connect();
  });
  client.close();
  return data.gifts;
})()`;
