import { RevokedTokens } from "../../../services/api-gateway/logins/revoked-tokens.ts";
import { type FeedPage, type FeedPlace, RowFeed } from "../../../services/row-feed.ts";
import type { Revocation } from "../../../services/user/user.contract.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

const day = 24 * 3_600_000;
const now = Date.UTC(2026, 0, 1);
const session = (sessionId: number, expiresAt = now + day): Revocation => ({
  ...{ userId: "7", sessionId, expiresAt },
  issuedUntil: now,
});
const all = (userId: string, issuedUntil: number): Revocation => ({
  ...{ userId, sessionId: 0, issuedUntil },
  expiresAt: issuedUntil + 30 * day,
});
const claims = (over: object) => ({ userId: "7", sessionId: 1, issuedAt: now, expiresAt: now + day, ...over });

describe("revoked tokens", () => {
  test("a session's revocation ends its token alone", () => {
    const revoked = new RevokedTokens();
    revoked.add(session(1));
    expect(revoked.has(claims({}))).toBe(true);
    expect(revoked.has(claims({ sessionId: 2 }))).toBe(false);
  });

  test("a user's revocation ends her tokens that were issued until then, in whatever order revocations come", () => {
    const revoked = new RevokedTokens();
    for (const until of [now, now + 5, now + 2]) revoked.add(all("7", until));
    expect([now - 1, now, now + 5, now + 6].map((issuedAt) => revoked.has(claims({ issuedAt })))).toEqual([
      ...[true, true, true],
      false,
    ]);
    expect(revoked.has(claims({ userId: "8" }))).toBe(false);
  });

  test("a revocation is dropped once all its tokens have expired, and not before", () => {
    const revoked = new RevokedTokens();
    for (let at = 0; at < 3; at++) revoked.add(session(1 + at, now + at * day + 1));
    revoked.add(all("9", now - 29 * day));
    expect(revoked.size).toBe(4);
    revoked.dropExpired(now + 2);
    expect(revoked.size).toBe(4);
    revoked.dropExpired(now + day);
    expect([revoked.size, revoked.has(claims({ sessionId: 2, expiresAt: now + day + 1 }))]).toEqual([2, true]);
    revoked.dropExpired(now + 3 * day);
    expect(revoked.size).toBe(0);
  });
});

describe("the feed of revocations", () => {
  const feeds: RowFeed<Revocation>[] = [];
  afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.stop())));

  /** Reads from pages that the test makes; the places that it asked for. */
  function feedOf(page: (place: FeedPlace) => FeedPage<Revocation>) {
    const asked: FeedPlace[] = [];
    const revoked = new RevokedTokens();
    const feed = new RowFeed<Revocation>({
      ...{ what: "revoked tokens", whileAway: "" },
      add: (row) => revoked.add(row),
      dropExpired: (nowMs) => revoked.dropExpired(nowMs),
      log: silentLog,
      read: () => {},
      page: async (place) => {
        asked.push(place);
        return page(place);
      },
    });
    feeds.push(feed);
    return { feed, revoked, asked };
  }

  test("reads every page before it is current, and then again what was written since 10 s before the read", async () => {
    const { feed, revoked, asked } = feedOf(({ since, afterId }) => ({
      list: [session(since + Number(afterId) + 1)],
      now,
      next: since === 0 && afterId !== "2" ? { since: 0, afterId: String(Number(afterId) + 1) } : null,
    }));
    expect(feed.isCurrent).toBe(false);
    expect([feed.hasBeenRead, feed.age]).toEqual([false, "not read yet"]);
    await eventually("read", () => feed.isCurrent);
    expect(revoked.size).toBe(3);
    await eventually("read again", () => asked.length > 3);
    expect(asked.slice(0, 4)).toEqual([
      ...["0", "1", "2"].map((afterId) => ({ since: 0, afterId })),
      { since: now - 10_000, afterId: "0" },
    ]);
  });

  test("goes on by the new clock where the database's time stepped back", async () => {
    let time = now;
    const { feed, asked } = feedOf(() => ({ list: [], now: time, next: null }));
    await eventually("read", () => feed.isCurrent);
    time -= 60_000;
    await eventually("by the new clock", () => asked.some(({ since }) => since === time - 10_000));
  });

  test.each([
    ["this node's clock", day, 0],
    ["the database's clock", 0, day],
  ])("drops nothing while %s is ahead, and what has expired once both agree", async (_whose, nodeAhead, dbAhead) => {
    const real = performance.now.bind(performance);
    let minutes = 0;
    let time = { node: now, db: now };
    const monotonic = jest.spyOn(performance, "now").mockImplementation(() => real() + minutes * 60_000);
    const startedAt = real();
    const clock = jest.spyOn(Date, "now").mockImplementation(() => time.node + real() - startedAt);
    try {
      // The token of the first one has expired a day later, and its day is over.
      const unread = [session(1, now + 1), session(2, now + 2 * day)];
      const { revoked, asked } = feedOf(() => ({ list: unread.splice(0), now: time.db, next: null }));
      await eventually("read", () => revoked.size === 2);
      const readAgain = async () => {
        minutes += 2;
        const { length } = asked;
        await eventually("read twice more", () => asked.length >= length + 2);
      };
      time = { node: now + nodeAhead, db: now + dbAhead };
      await readAgain();
      expect(revoked.size).toBe(2);
      time = { node: now + day, db: now + day };
      await readAgain();
      expect(revoked.size).toBe(1);
    } finally {
      await Promise.all(feeds.splice(0).map((feed) => feed.stop()));
      clock.mockRestore();
      monotonic.mockRestore();
    }
  });

  test("is not current where a page fails, and is current after the next read", async () => {
    let away = true;
    const { feed, revoked } = feedOf(({ afterId }) => {
      if (away && afterId === "1") throw Object.assign(new Error("away"), { code: "ECONNREFUSED", syscall: "connect" });
      return { list: [session(1)], now, next: afterId === "0" ? { since: 0, afterId: "1" } : null };
    });
    await eventually("the first page", () => revoked.size === 1);
    expect(feed.isCurrent).toBe(false);
    away = false;
    await eventually("current", () => feed.isCurrent);
  });
});
