/** The views of a battle in a real browser: what they ask the server for, when, and of which battle. No system is needed. */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Browser, Page, Route } from "playwright-core";
import { findChromium, startChromium } from "./chromium.ts";

const chromiumPath = findChromium();
const START = Date.parse("2026-03-01T12:00:00.000Z");
const iso = (ms: number): string => new Date(START + ms).toISOString();
const types: Record<string, string> = { ".js": "text/javascript", ".mjs": "text/javascript" };

/** Room 1 of user 11 against room 2 of user 12, or user 12 as guest in room 1. */
const view = (battleId: string, state: string, at = 0, more: object = {}) => ({
  ...{ battleId, kind: "rooms", state, winner: null, excluded: [] },
  sides: ["11", "12"].map((userId, index) => ({ roomId: index + 1, userId, score: 0, gifts: 0, topSenders: [] })),
  ...{ startTime: iso(0), endTime: iso(300_000), serverTime: iso(at) },
  ...more,
});
const guestView = (battleId: string, state: string, at = 0) => {
  const { sides, ...rest } = view(battleId, state, at);
  return { ...rest, kind: "guest", sides: sides.map(inRoomOne) };
};
const scores = (battleId: string) => ({ battleId, scores: [], remainingMs: 200_000 });
const inRoomOne = (side: object) => ({ ...side, roomId: 1 });

(chromiumPath ? describe : describe.skip)("the views of a battle", () => {
  let browser: Browser;
  let page: Page;
  /** What the page asked for, in order: the last part of the path and the body. */
  let asked: [string, unknown][];
  /** The answers by the last part of the path; of any other the page gets a 503. */
  let answers: Record<string, unknown>;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
    page = await browser.newPage();
    await page.route("http://page.test/**", answer);
    await page.addInitScript(() => {
      localStorage.setItem("ovation.language", "en");
      Math.random = () => 0.5; // half of every spread
    });
    await page.clock.install({ time: START });
    await page.goto("http://page.test/");
    await page.clock.pauseAt(START + 60_000);
  }, 60_000);
  afterAll(() => browser?.close());

  beforeEach(() => {
    asked = [];
    answers = {};
  });
  afterEach(() =>
    page.evaluate(`
      window.ended?.abort();
      toasts.replaceChildren();
      document.body.replaceChildren(toasts);
    `),
  );

  function answer(route: Route): Promise<void> {
    const { pathname } = new URL(route.request().url());
    if (pathname === "/")
      return route.fulfill({ contentType: "text/html", body: '<p id="toasts" popover="manual"></p>' });
    if (!pathname.startsWith("/live/")) return route.fulfill(fileOfPage(pathname));
    const name = pathname.split("/").slice(-1).join();
    asked.push([name, route.request().postDataJSON()]);
    if (!(name in answers)) return route.fulfill({ status: 503, json: { code: 503, msg: "unavailable", data: null } });
    return route.fulfill({ json: { code: 200, msg: "ok", data: answers[name] } });
  }

  /** The panel of a user in a room, as `panel` of the window. */
  async function openPanel(userId: string, roomId: number, type = 1): Promise<void> {
    const anchorId = String(roomId + 10);
    const config = { roomId, type, anchorId, userId, isAnchor: userId === anchorId };
    await page.evaluate(`(async () => {
      const [{ useStrings }, { strings }] = await Promise.all([import("/js/language.js"), import("/js/strings.js")]);
      useStrings(strings);
      const { createBattlePanel } = await import("/js/views/battle.js");
      const { createNames } = await import("/js/people.js");
      window.ended = new AbortController();
      const names = createNames([], "");
      window.panel = createBattlePanel({ config: ${JSON.stringify(config)}, names, signal: ended.signal, setReceivers() {} });
      document.body.append(...panel.elements, ...panel.tools);
    })()`);
  }
  const happens = (event: "onBattle" | "onScores" | "onOnline", frame?: object) =>
    page.evaluate(`panel.${event}(${JSON.stringify(frame)})`);
  const press = (testId: string) => page.getByTestId(testId).click();
  const paths = () => asked.map(([path]) => path);
  /** Lets time pass on the page; what it asks for then has been answered. */
  async function pass(ms: number): Promise<void> {
    await page.clock.runFor(ms);
    await page.evaluate(`fetch("/live/all/asked", { method: "POST", body: "{}" }).then((all) => all.text())`);
    asked = asked.filter(([path]) => path !== "asked");
  }

  test("act on the battle that is on show, also where it took the place of another one at once", async () => {
    await openPanel("12", 2);
    await happens("onBattle", view("7", "invited"));
    const other = view("8", "invited", 1_000);
    await happens("onBattle", { ...other, sides: [{ ...other.sides[0], roomId: 3, userId: "13" }, other.sides[1]] });
    expect(await page.getByTestId("battle-news").textContent()).toContain("User 13 invites");
    await press("battle-accept");
    await pass(0);
    expect(asked).toContainEqual(["accept", { battleId: "8" }]);
    expect(asked).not.toContainEqual(["accept", { battleId: "7" }]);
  });

  test("ask for the anchor of the other room once the battle is on show, and not all viewers at once", async () => {
    await openPanel("99", 1);
    await happens("onBattle", view("7", "invited"));
    await happens("onBattle", view("7", "cancelled", 1_000));
    await pass(20_000);
    expect(asked).toEqual([]);

    await happens("onBattle", view("8", "running", 30_000));
    await pass(999);
    expect(asked).toEqual([]);
    await pass(1);
    expect(asked).toEqual([["anchorConfig", { roomId: 2 }]]);

    // It failed: a later frame asks again, and no frame after the answer.
    answers.anchorConfig = { anchorNickName: "Rosa" };
    await pass(10_000);
    await happens("onBattle", view("8", "running", 31_000));
    await pass(1_000);
    await page.getByTestId("battle-side-second").filter({ hasText: "Rosa" }).waitFor();
    await happens("onBattle", view("8", "settling", 300_000));
    await pass(20_000);
    expect(paths()).toEqual(["anchorConfig", "anchorConfig"]);
  });

  test("show the two anchors at once who invites and who is invited", async () => {
    answers.anchorConfig = { anchorNickName: "Ann" };
    await openPanel("12", 2);
    await happens("onBattle", view("7", "invited"));
    await pass(0);
    await page.getByTestId("battle-headline").filter({ hasText: "Ann" }).waitFor();
  });

  test("ask for a battle of which only scores came, not all viewers at once, and again after a failure", async () => {
    await openPanel("99", 1);
    await happens("onScores", scores("7"));
    await pass(999);
    await happens("onScores", scores("7"));
    expect(asked).toEqual([]);
    await pass(1);
    expect(asked).toEqual([["show", { battleId: "7" }]]);
    await happens("onScores", scores("7"));
    await pass(9_999);
    expect(asked).toHaveLength(1);

    answers.show = view("7", "running");
    await pass(1);
    await happens("onScores", scores("7"));
    await pass(1_000);
    expect(asked).toHaveLength(2);
    await page.getByTestId("battle").waitFor();

    // Its late scores ask for nothing, and a battle that a frame told of meanwhile needs no question.
    await happens("onScores", scores("8"));
    await happens("onBattle", view("8", "running", 1_000, { sides: view("8", "").sides.map(inRoomOne) }));
    await happens("onScores", scores("7"));
    await pass(20_000);
    expect(asked.filter(([path]) => path === "show")).toHaveLength(2);
  });

  test("ask nothing after a connect without a battle, and for the battle on show where no frame tells of it", async () => {
    await openPanel("99", 1);
    await happens("onOnline");
    await pass(30_000);
    expect(asked).toEqual([]);

    answers.anchorConfig = { anchorNickName: "Rosa" };
    await happens("onBattle", view("7", "running"));
    await happens("onOnline");
    await happens("onScores", scores("8")); // of another battle: it says nothing of this one
    await pass(2_500);
    expect(asked).toContainEqual(["show", { battleId: "7" }]);
    answers.show = view("7", "ended", 60_000);
    await pass(11_000);
    await page.locator('[data-testid="battle"][data-phase="ended"]').waitFor();

    await happens("onBattle", view("9", "running", 70_000));
    await happens("onOnline");
    await happens("onScores", scores("9"));
    asked = [];
    await pass(30_000);
    expect(asked).toEqual([]);
  });

  test("tell an inviter what came of the invitation only where it came to nothing", async () => {
    await openPanel("11", 1);
    const toasts = async (state: string, battleId: string, at: number) => {
      await happens("onBattle", view(battleId, "invited", at));
      await happens("onBattle", view(battleId, state, at + 1_000));
      return page.locator(".toast-text").allTextContents();
    };
    expect(await toasts("settling", "1", 0)).toEqual([]);
    expect(await toasts("ended", "2", 10_000)).toEqual([]);
    expect(await toasts("cancelled", "3", 20_000)).toEqual([]);
    expect(await toasts("declined", "4", 30_000)).toEqual(["The invitation was declined"]);
  });

  test("make no gift to the guest one to the anchor when she goes: for a moment nothing is sent, and the tray says why", async () => {
    await page.evaluate(`(async () => {
      const { createGiftTray } = await import("/js/views/gift-tray.js");
      window.sent = [];
      const order = ({ giftId }, count, receiverId = "11") => ({ giftId, count, receiverId });
      const submit = async ({ receiverId }) => (sent.push(receiverId), "settled");
      window.tray = createGiftTray({ gifts: [{ giftId: 24, giftName: "Rose", price: 1 }], sender: { order, submit } });
      document.body.append(tray.element);
    })()`);
    const choose = (...ids: string[]) =>
      page.evaluate(`tray.setReceivers(${JSON.stringify(ids)}.map((userId) => ({ userId, name: () => userId })))`);
    const sent = () => page.evaluate("sent");
    const news = page.getByTestId("gift-receiver-news");
    await choose("11", "12");
    await press("gift-to-12");
    await press("gift-send");
    await choose();
    const button = page.getByTestId("gift-send");
    await button.click({ force: true });
    await page.getByTestId("gift-count").press("Enter");
    expect(await sent()).toEqual(["12"]);
    expect([await news.textContent(), await button.isDisabled()]).toEqual(["Gifts go to the anchor now", true]);
    await page.clock.runFor(1_500);
    await button.click();
    expect([await sent(), await news.textContent()]).toEqual([["12", "11"], ""]);

    // Who gives to the anchor is not held up, whether she was chosen or not.
    await choose("11", "12");
    await button.click();
    await choose();
    await button.click();
    expect([await sent(), await news.textContent()]).toEqual([["12", "11", "11", "11"], ""]);
  });

  test("end no other battle than the one that the question was about", async () => {
    await openPanel("11", 1, 2);
    await happens("onBattle", guestView("7", "running"));
    await press("battle-end");
    await happens("onBattle", guestView("7", "ended", 1_000));
    await happens("onBattle", guestView("8", "running", 2_000));
    await press("battle-end-dialog-yes");
    await pass(0);
    expect(paths()).not.toContain("offlinePk");
    await press("battle-end");
    await press("battle-end-dialog-yes");
    await pass(0);
    expect(asked).toContainEqual(["offlinePk", { roomId: 1 }]);
  });
});

function fileOfPage(path: string) {
  const file = path.startsWith("/vendor/lean-qr") ? "../../node_modules/lean-qr/index.mjs" : `../../public${path}`;
  return { contentType: types[extname(file)], body: readFileSync(join(__dirname, file)) };
}
