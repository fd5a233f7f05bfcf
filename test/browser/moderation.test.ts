/** Moderation of the chat in a real browser: the anchor removes a line and mutes its author, who sees why. */
import type { Browser } from "playwright-core";
import { scene } from "../support/client.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { connected, openAs, say } from "./window.ts";

const chromiumPath = findChromium();

(chromiumPath ? describe : describe.skip)("the chat of a room", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium(chromiumPath!);
  }, 120_000);
  afterAll(() => browser?.close());

  test("the anchor has a menu at lines of others: a line goes from all screens, and a muted fan sees until when", async () => {
    const { anchor, fan, roomId } = await scene();
    const [anchorSees, fanSees] = (await Promise.all(
      [anchor, fan].map(async (person) => {
        const { page, problems } = await openAs(browser, person, `#/room/${roomId}`);
        await connected(page);
        return { page, problems };
      }),
    )) as [Awaited<ReturnType<typeof openAs>>, Awaited<ReturnType<typeof openAs>>];
    const lines = (page: typeof anchorSees.page, words: string) =>
      page.getByTestId("feed-chat").filter({ hasText: words });

    await say(fanSees.page, "buy cheap coins");
    const line = lines(anchorSees.page, "buy cheap coins");
    await line.waitFor();
    await line.getByTestId("feed-menu").click();
    await anchorSees.page.getByTestId("remove-chat").click();
    await Promise.all(
      [anchorSees, fanSees].map(({ page }) => lines(page, "buy cheap coins").waitFor({ state: "detached" })),
    );

    await say(fanSees.page, "one more");
    const more = lines(anchorSees.page, "one more");
    await more.getByTestId("feed-menu").click();
    await anchorSees.page.getByTestId("mute-10").click();
    await anchorSees.page.getByText("is muted").waitFor();
    await say(fanSees.page, "can you hear me");
    await fanSees.page.getByText("You are muted until").waitFor();
    await lines(fanSees.page, "can you hear me").waitFor({ state: "detached" });
    expect(await lines(anchorSees.page, "can you hear me").count()).toBe(0);
    expect(
      await fanSees.page
        .getByTestId("feed-menu")
        .first()
        .isVisible()
        .catch(() => false),
    ).toBe(false);
    expect([...anchorSees.problems, ...fanSees.problems]).toEqual([]);
    await Promise.all([anchorSees, fanSees].map(({ page }) => page.context().close()));
  }, 120_000);
});
