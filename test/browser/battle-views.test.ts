/** The views of a battle in a real browser: what they ask the server for, when, and of which battle. No system is needed. */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { findChromium, startChromium } from "./chromium.ts";

const chromiumPath = findChromium();
const START = Date.parse("2026-03-01T12:00:00.000Z");
const iso = (ms: number): string => new Date(START + ms).toISOString();
const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css" };

/** Room 1 of user 11 against room 2 of user 12, or user 12 as guest in room 1. */
const view = (battleId: string, state: string, at = 0, more: object = {}) => ({
  ...{ battleId, kind: "rooms", state, winner: null, excluded: [] },
  sides: ["11", "12"].map((userId, index) => ({ roomId: index + 1, userId, score: 0, gifts: 0, topSenders: [] })),
  ...{ startTime: iso(0), endTime: iso(300_000), serverTime: iso(at) },
  ...more,
});
const guestView = (battleId: string, state: string, at = 0) => {
  const { sides, ...rest } = view(battleId, state, at);
  return { ...rest, kind: "guest", sides: sides.map((side) => ({ ...side, roomId: 1 })) };
};

(chromiumPath ? describe : describe.skip)("the views of a battle", () => {
  let browser: Browser;
  let page: Page;
  /** What the page asked for, in order: the last part of the path and the body. */
  let asked: [string, unknown][];
  /** The answers by the last part of the path; of any other the page gets a 503. */
  let answers: Record<string, unknown>;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 60_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    asked = [];
    answers = {};
    page = await browser.newPage();
    await page.route("**/*", (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === "/")
        return route.fulfill({ contentType: "text/html", body: '<p id="toasts" popover="manual"></p>' });
      if (!pathname.startsWith("/live/")) return route.fulfill(fileOfPage(pathname));
      const name = pathname.split("/").slice(-1).join();
      asked.push([name, route.request().postDataJSON()]);
      if (!(name in answers))
        return route.fulfill({ status: 503, json: { code: 503, msg: "unavailable", data: null } });
      return route.fulfill({ json: { code: 200, msg: "ok", data: answers[name] } });
    });
    await page.addInitScript(() => {
      localStorage.setItem("ovation.language", "en");
      Math.random = () => 0.5; // half of every spread
    });
    await page.clock.install({ time: START });
    await page.goto("http://page.test/");
    await page.clock.pauseAt(START + 60_000);
  });
  afterEach(() => page.close());

  /** The panel of a user in a room, as `panel` of the window. */
  async function openPanel(userId: string, roomId: number, type = 1): Promise<void> {
    const anchorId = String(roomId + 10);
    const config = { roomId, type, anchorId, userId, isAnchor: userId === anchorId };
    await page.evaluate(`(async () => {
      const { createBattlePanel } = await import("/js/views/battle.js");
      const { createNames } = await import("/js/people.js");
      const { signal } = new AbortController();
      const names = createNames([], "");
      window.panel = createBattlePanel({ config: ${JSON.stringify(config)}, names, signal, setReceivers() {} });
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
  return {
    contentType: types[extname(path)] ?? "application/octet-stream",
    body: readFileSync(join(__dirname, "../../public", path)),
  };
}
