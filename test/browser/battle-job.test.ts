/** Battles, combos and ranks in a real browser: two anchors and two viewers, and a guest in a room. */
import type { Browser, Page } from "playwright-core";
import { Person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { connected, openAs, type PersonWindow } from "./window.ts";

const chromiumPath = findChromium();
const desk = { width: 1280, height: 820 };
const phone = { width: 390, height: 844 };
const CHEAP = 24; // a gift of 1 coin

(chromiumPath ? describe : describe.skip)("battles on the page", () => {
  let browser: Browser;
  const windows: PersonWindow[] = [];
  /** Two anchors, each with a viewer; the windows serve all tests, since to open them takes most of the time. */
  let [ann, rosa, left, right] = [] as unknown as [Person, Person, Person, Person];
  let [annPage, rosaPage, leftPage, rightPage] = [] as unknown as [Page, Page, Page, Page];
  let [annRoom, rosaRoom] = [0, 0];

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
    [ann, rosa, left, right] = (await people(4)) as [Person, Person, Person, Person];
    [annRoom, rosaRoom] = await Promise.all([openRoom(ann, 1), openRoom(rosa, 1), left.recharge(), right.recharge()]);
    [annPage, rosaPage, leftPage, rightPage] = (await Promise.all([
      ...[inRoom(ann, annRoom), inRoom(rosa, rosaRoom)],
      ...[inRoom(left, annRoom, phone), inRoom(right, rosaRoom, phone)],
    ])) as [Page, Page, Page, Page];
  }, 120_000);
  afterAll(() => browser?.close());

  async function inRoom(person: Person, roomId: number, viewport = desk): Promise<Page> {
    const opened = await openAs(browser, person, `#/room/${roomId}`, viewport);
    windows.push(opened);
    await connected(opened.page);
    return opened.page;
  }

  async function people(count: number): Promise<Person[]> {
    return Promise.all(Array.from({ length: count }, () => Person.login()));
  }

  async function openRoom(anchor: Person, type: number): Promise<number> {
    const roomName = `room of ${anchor.userId}`;
    // A user may start one every ten seconds.
    const start = async () => {
      const { code, msg, data } = await anchor.post<{ roomId: number }>("living/startingLiving", { type, roomName });
      if (code === -10_001) return undefined;
      if (code !== 200) throw new Error(`startingLiving: ${code} ${msg}`);
      return data.roomId;
    };
    return eventually("a room is started", start, 15_000);
  }

  async function give(page: Page, count: number): Promise<void> {
    await page.locator(`[data-testid="gift"][data-gift-id="${CHEAP}"]`).click();
    await page.getByTestId("gift-count").fill(String(count));
    await page.getByTestId("gift-send").click();
    await page.locator('[data-testid="gift-status"][data-news="trayDone"]').waitFor();
    await page.getByTestId("gift-status").evaluate((status) => status.removeAttribute("data-news"));
  }

  /** Gives one at a time until the page shows a streak: two that are at most 5 s apart. Answers with the pieces. */
  async function streak(fan: Person, roomId: number, anchor: Person, page: Page): Promise<number> {
    const lines = page.locator('[data-testid="feed-gift"][data-count="1"]');
    const combo = page.getByTestId("feed-combo");
    for (let pieces = 1; pieces <= 10; pieces += 1) {
      await fan.send(roomId, anchor.userId, { giftId: CHEAP });
      await lines.nth(pieces - 1).waitFor();
      if ((await combo.count()) > 0) return pieces;
    }
    throw new Error("ten gifts, and no streak");
  }

  /** The side of a user has this score on the page. */
  const score = (page: Page, { userId }: Person, value: number) =>
    page.locator(`[data-testid^="battle-side-"][data-user-id="${userId}"] [data-value="${value}"]`).waitFor();

  const phase = (page: Page, name: string) =>
    page.locator(`[data-testid="battle"][data-phase="${name}"]:not([hidden])`).waitFor();

  test("two anchors fight to the end before two viewers: all four see the scores and the winner", async () => {
    const pages = [annPage, rosaPage, leftPage, rightPage];

    // Ann withdraws her invitation, and accepts the one that Rosa answers with.
    const invite = async (from: Page, room: number, to: Page) => {
      await from.getByTestId("battle-invite").click();
      await from.locator(`[data-testid="battle-room"][data-room-id="${room}"]`).getByTestId("battle-ask").click();
      await to.getByTestId("battle-accept").waitFor();
    };
    await invite(annPage, rosaRoom, rosaPage);
    await annPage.getByTestId("battle-cancel").click();
    await rosaPage.getByText("The invitation was cancelled").waitFor();
    await invite(rosaPage, annRoom, annPage);
    expect(await leftPage.getByTestId("battle").isVisible()).toBe(false);
    await annPage.getByTestId("battle-accept").click();
    await Promise.all(pages.map((page) => phase(page, "running")));
    await leftPage
      .getByTestId("battle-clock")
      .filter({ hasText: /^[45]:\d\d$/ })
      .waitFor();

    // Gifts to both sides, some of them in a streak; who comes in the middle sees the battle.
    await Promise.all([give(leftPage, 20), give(rightPage, 5)]);
    const total = 20 + (await streak(left, annRoom, ann, annPage));
    const scores = (page: Page) => Promise.all([score(page, ann, total), score(page, rosa, 5)]);
    await Promise.all(pages.map(scores));
    await rightPage.reload();
    await phase(rightPage, "running");
    await scores(rightPage);
    expect(await rightPage.getByTestId("battle-side-first").getAttribute("data-user-id")).toBe(rosa.userId);

    await rosaPage.getByTestId("battle-end").click();
    await rosaPage.getByTestId("battle-end-dialog-yes").click();
    for (const page of pages) {
      await phase(page, "ended");
      expect(await page.getByTestId("battle").getAttribute("data-winner")).toBe(ann.userId);
      await page.locator(`[data-testid="battle-top-sender"][data-user-id="${left.userId}"]`).waitFor();
      await scores(page);
      await page
        .getByTestId("battle-news")
        .filter({ hasText: /wins?\b/ })
        .waitFor({ state: "attached" });
    }

    // The viewer is the first in the ranks of the room and of its anchor.
    await leftPage.getByTestId("ranks").click();
    const first = leftPage.getByTestId("rank-row").first();
    await first.waitFor();
    expect(await first.getAttribute("data-user-id")).toBe(left.userId);
    await leftPage
      .getByTestId("rank-mine")
      .filter({ hasText: `Your place: 1, with ${total} coins` })
      .waitFor();
    await leftPage.getByTestId("rank-week").click();
    await leftPage.locator('[data-testid="rank-list"][data-span="week"]').waitFor();
    await leftPage
      .getByTestId("rank-mine")
      .filter({ hasText: `${total} coins` })
      .waitFor();
    await leftPage.getByTestId("ranks-dialog-close").click();
  }, 180_000);

  test("a viewer battles the anchor as guest, and another viewer chooses whom to give to", async () => {
    const [guest, guestPage, fanPage] = [right, rightPage, leftPage];
    await ann.ask("living/closeLiving", { roomId: annRoom });
    const roomId = await openRoom(ann, 2);
    for (const page of [annPage, guestPage, fanPage]) {
      await page.goto(new URL(`#/room/${roomId}`, page.url()).href);
      await page.locator(`[data-testid="second-window"][href="#/room/${roomId}"]`).waitFor();
      await connected(page);
    }
    await guestPage.getByTestId("battle-join").click();
    await guestPage.getByTestId("battle-join-dialog-yes").click();
    await Promise.all([annPage, guestPage, fanPage].map((page) => phase(page, "running")));
    expect(await guestPage.getByTestId("gift-receivers").isVisible()).toBe(false);

    await give(fanPage, 2);
    await fanPage.getByTestId(`gift-to-${guest.userId}`).click();
    await give(fanPage, 9);
    for (const page of [annPage, guestPage, fanPage]) await Promise.all([score(page, ann, 2), score(page, guest, 9)]);

    await guestPage.getByTestId("battle-end").click();
    await guestPage.getByTestId("battle-end-dialog-yes").click();
    for (const page of [annPage, guestPage, fanPage]) {
      await phase(page, "ended");
      expect(await page.getByTestId("battle").getAttribute("data-winner")).toBe(guest.userId);
    }
    await fanPage.getByTestId("gift-receivers").waitFor({ state: "hidden" });
    expect(await fanPage.getByTestId("gift-receiver-news").textContent()).toBe("Gifts go to the anchor now");
  }, 180_000);

  test("the gifts of a streak are one effect, which counts up", async () => {
    expect(await windows[0]!.page.evaluate(playsStreak)).toEqual([["×7"], ["×14"], ["×14", "×3"]]);
  });

  test("nothing went wrong in any window: no failed script, no refused resource", () => {
    expect(windows).toHaveLength(4);
    expect(windows.flatMap(({ problems }) => problems)).toEqual([]);
  });
});

/** A script of the page, as text, since the test's compiler would change its import: what is on the stage after each gift. */
const playsStreak = `(async () => {
  const { createEffects } = await import("/js/views/effects.js");
  const { layer, play } = createEffects();
  const shown = () => [...layer.querySelectorAll("[data-testid=effect-count]")].map(({ textContent }) => textContent);
  const gift = { giftId: 24, count: 7, price: 1, combo: { id: "a", count: 7 } };
  return [
    [gift, 7],
    [gift, 14],
    [{ ...gift, count: 3, combo: { id: "b", count: 3 } }, 3],
  ].map(([sent, reached]) => {
    play(sent, "somebody", reached);
    return shown();
  });
})()`;
