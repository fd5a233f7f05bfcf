import { limits } from "../../config/limits.ts";
import { RevokedTokens } from "../../services/api-gateway/logins/revoked-tokens.ts";
import { RowFeed } from "../../services/row-feed.ts";
import type { Revocation } from "../../services/user/user.contract.ts";
import { silentLog } from "../support/silent-log.ts";

const { feedPollMs, feedStaleMs, feedSweepEveryMs } = limits.user;
const expiresAt = Date.now() + 24 * 3_600_000;

/** A table of revocations whose database has a clock of its own. */
function database(pageMs = 0) {
  const rows: { time: number; sessionId: number }[] = [];
  const reads: number[] = [];
  const state = { ahead: 1_000_000_000, away: false };
  const nowMs = () => Math.floor(performance.now()) + state.ahead;
  return {
    reads,
    state,
    /** Writes a row that is this old. */
    revoke: (sessionId: number, ageMs = 0) => void rows.push({ time: nowMs() - ageMs, sessionId }),
    async page({ since, afterId }: { since: number; afterId: string }) {
      if (state.away) throw Object.assign(new Error("away"), { type: "SERVICE_NOT_AVAILABLE" });
      reads.push(since);
      const now = nowMs();
      const found = rows.filter(({ time }) => time >= since).sort((a, b) => a.time - b.time);
      const at = Number(afterId);
      if (pageMs > 0) await new Promise((resolve) => setTimeout(resolve, pageMs));
      const list = found
        .slice(at, at + 2)
        .map(({ sessionId }) => ({ userId: "7", sessionId, issuedUntil: 0, expiresAt }));
      return { now, list, next: found.length > at + 2 ? { since, afterId: String(at + 2) } : null };
    },
  };
}

const feeds: RowFeed<Revocation>[] = [];

function feedOf({ page }: Pick<ReturnType<typeof database>, "page">) {
  const revoked = new RevokedTokens();
  const feed = new RowFeed<Revocation>({
    ...{ what: "revoked tokens", whileAway: "", page, read: () => undefined, log: silentLog },
    add: (row) => revoked.add(row),
    dropExpired: (nowMs) => revoked.dropExpired(nowMs),
  });
  feeds.push(feed);
  const knows = (sessionId: number) => revoked.has({ userId: "7", sessionId, issuedAt: 1, expiresAt });
  return { feed, revoked, knows };
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => jest.useFakeTimers());
afterEach(async () => {
  const stopped = Promise.all(feeds.splice(0).map((feed) => feed.stop()));
  // A page may be under way.
  await pass(60_000);
  await stopped;
  jest.useRealTimers();
});

test("all is read at first, page by page; later what is new alone", async () => {
  const db = database();
  for (let id = 1; id <= 5; id++) db.revoke(id, 3_600_000);
  const { feed, knows } = feedOf(db);
  await pass(1);
  expect([[1, 2, 3, 4, 5].every(knows), feed.isCurrent, db.reads]).toEqual([true, true, [0, 0, 0]]);
  db.revoke(6);
  await pass(feedPollMs);
  expect([knows(6), db.reads.length]).toEqual([true, 4]);
  expect(db.reads[3]).toBeGreaterThan(0);
});

test.each([-3_600_000, -60_000, 60_000])(
  "no revocation is passed over where the database's clock steps by %d ms, and not everything is read for it",
  async (ms) => {
    const db = database();
    const { feed, knows } = feedOf(db);
    await pass(3 * feedPollMs);
    db.revoke(1);
    db.state.ahead += ms;
    db.revoke(2);
    await pass(feedPollMs / 2);
    db.revoke(3);
    await pass(2 * feedPollMs);
    db.revoke(4);
    await pass(feedPollMs);
    expect([[1, 2, 3, 4].every(knows), feed.isCurrent]).toEqual([true, true]);
    expect(db.reads.filter((since) => since === 0)).toHaveLength(1);
  },
);

test("servers whose clocks differ, asked in turn, neither hide a revocation nor make every read a read of everything", async () => {
  const db = database();
  let rounds = 0;
  const { knows } = feedOf({
    page(place) {
      // Rows have the times of the one whose clock is behind.
      const ahead = place.afterId === "0" && ++rounds % 2 === 0 ? 30_000 : 0;
      db.state.ahead += ahead;
      const answer = db.page(place);
      db.state.ahead -= ahead;
      return answer;
    },
  });
  for (let id = 1; id <= 10; id++) {
    db.revoke(id);
    await pass(2 * feedPollMs);
    expect(knows(id)).toBe(true);
  }
  expect(db.reads.filter((since) => since === 0)).toHaveLength(1);
});

test("after a longer time without reads everything is read, at once", async () => {
  const db = database();
  const { feed, knows } = feedOf(db);
  await pass(1);
  db.state.away = true;
  await pass(feedStaleMs + feedPollMs);
  expect(feed.isCurrent).toBe(false);
  db.state.ahead -= 3_600_000;
  db.revoke(1);
  db.state.away = false;
  await pass(feedPollMs);
  expect([knows(1), feed.isCurrent, db.reads.at(-1)]).toEqual([true, true, 0]);
});

test("a read of everything that takes long is not followed by another one, also where the clock steps back meanwhile", async () => {
  const db = database(4_000);
  for (let id = 1; id <= 7; id++) db.revoke(id, 3_600_000);
  const { feed, knows } = feedOf(db);
  await pass(5_000);
  db.state.ahead -= 7_200_000;
  // Its place is before the pages that are still to be read.
  db.revoke(8);
  await pass(3 * 4_000 + 2 * (feedPollMs + 4_000));
  expect([1, 7, 8].every(knows)).toBe(true);
  expect(feed.isCurrent).toBe(true);
  expect(db.reads.filter((since) => since === 0)).toHaveLength(4);
  expect(db.reads.length).toBeGreaterThan(4);
});

test("about every hour everything is read besides, a page a poll: what no poll finds is found", async () => {
  const db = database();
  const { feed, knows } = feedOf(db);
  await pass(60_000);
  // Committed long after the time in its row.
  for (let id = 1; id <= 5; id++) db.revoke(id, 30_000);
  await pass(60_000);
  expect([1, 5].map(knows)).toEqual([false, false]);
  await pass(feedSweepEveryMs - 120_000 + 1);
  expect(knows(5)).toBe(false);
  await pass(3 * feedPollMs);
  expect([[1, 2, 3, 4, 5].every(knows), feed.isCurrent]).toEqual([true, true]);
  await pass(10 * feedPollMs);
  expect(db.reads.filter((since) => since === 0)).toHaveLength(4);
});

test("reads of everything are told: the first one, and the sweep with what the polls bring meanwhile", async () => {
  const db = database();
  for (let id = 1; id <= 5; id++) db.revoke(id, 3_600_000);
  const told: unknown[] = [];
  const feed = new RowFeed<Revocation>({
    ...{
      what: "rows",
      whileAway: "",
      page: db.page,
      read: () => undefined,
      log: silentLog,
      dropExpired: () => undefined,
    },
    add: ({ sessionId }) => told.push(sessionId),
    all: { begin: () => told.push("begin"), end: () => told.push("end") },
  });
  feeds.push(feed);
  await pass(1);
  expect(told).toEqual(["begin", 1, 2, 3, 4, 5, "end"]);
  await pass(feedSweepEveryMs - 1_000);
  told.length = 0;
  db.revoke(6);
  await pass(4 * feedPollMs);
  expect(told.filter((one) => one !== 6)).toEqual(["begin", 1, 2, 3, 4, 5, "end"]);
});
