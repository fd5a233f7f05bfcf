import { execFile } from "node:child_process";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { RowDataPacket } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import giftService from "../../../services/gift/gift.service.ts";
import rank from "../../../services/rank/rank.service.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll, waitUntilForgotten } from "../../support/system.ts";
import { Books, ended, gift, verified } from "./records.ts";

/** The records of the books before there is a rank service; a million in the test that is run by hand. */
const records = Number(process.env.RANK_RECORDS ?? 5_000);

/** A verification reads all records once for each part of the users: a million take many minutes on a busy machine. */
const workMs = 60_000 + records * 1.5;
jest.setTimeout(60_000 + 2 * workMs);

const quick: ServiceSchema = {
  ...rank,
  settings: { ...rank.settings, jobLeaseMs: 2_000, secondLookMs: 300 } as object,
};
let books: Books;
let caller: ServiceBroker;
let dying: Child | undefined;

beforeAll(async () => {
  await startNode("gift", [giftService]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift"]);
  books = await Books.open();
});
afterAll(async () => {
  await dying?.stop(1_000);
  await books?.close();
  await stopAll();
});

const digits =
  "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";

/** Gifts of the last forty days, each of a sender of its own, some of which failed, to fifty anchors. */
async function fillBooks(): Promise<void> {
  const n = "(a.d + b.d * 10 + c.d * 100 + d.d * 1000 + e.d * 10000 + f.d * 100000)";
  await books.database.query(
    `INSERT INTO ${databaseName("gift")}.t_gift_record (id, order_id, user_id, object_id, room_id, gift_id, count,
       price, status, income_points, content_hash, send_time)
     SELECT 5000 + 2 * n, CONCAT('o', n), 9000000000000000000 + n MOD 900000, 70 + n MOD 50, 1 + n MOD 200, 22, 1 + n MOD 7,
       1 + (n * 7919) MOD 1000, n MOD 97 <> 0, 0, 'h', UTC_TIMESTAMP(3) - INTERVAL (n * 613) MOD 3456000 SECOND
     FROM (SELECT ${n} AS n FROM ${["a", "b", "c", "d", "e", "f"].map((name) => `${digits} ${name}`).join(", ")}
       WHERE ${n} < ?) numbers`,
    [records],
  );
}

const job = async () =>
  (
    await rows<{ state: string; cursor_id: string | null; until_id: string; begun_time: Date; gifts: string }>(
      "rank",
      "SELECT * FROM t_rank_job WHERE name = 'rebuild'",
    )
  )[0];

/** The boards that differ from sums which the database makes of the records itself, without the service's code. */
async function differences(): Promise<RowDataPacket[]> {
  const period = {
    all: "0",
    day: "CAST(DATE_FORMAT(send_time + INTERVAL 8 HOUR, '%Y%m%d') AS UNSIGNED)",
    month: "CAST(DATE_FORMAT(send_time + INTERVAL 8 HOUR, '%Y%m') AS UNSIGNED)",
  };
  const boards: [number, string, string, string][] = [
    [1, period.all, "room_id", "user_id"],
    [14, period.all, "object_id", "user_id"],
    [13, period.month, "object_id", "user_id"],
    [24, period.all, "0", "object_id"],
    [34, period.all, "0", "user_id"],
    [31, period.day, "0", "user_id"],
  ];
  const found: RowDataPacket[] = [];
  for (const [kind, of, scope, user] of boards) {
    const kept = kind === 31 ? `AND ${of} >= DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 8 HOUR, '%Y%m%d')` : "";
    const sums = `(SELECT ${of} AS period, ${scope} AS scope, ${user} AS user, SUM(count * price) AS coins,
        MAX(send_time) AS reached FROM ${databaseName("gift")}.t_gift_record WHERE status = 1 ${kept} GROUP BY 1, 2, 3)`;
    const [wrong] = await books.database.query<RowDataPacket[]>(
      `SELECT ? AS kind, s.*, t.coins AS counted FROM ${sums} s LEFT JOIN ${databaseName("rank")}.t_rank_total t
         ON t.generation = 1 AND t.kind = ? AND t.period = s.period AND t.scope = s.scope AND t.user_id = s.user
       WHERE t.coins IS NULL OR t.coins <> s.coins OR t.reached_ms <> ROUND(UNIX_TIMESTAMP(s.reached) * 1000) LIMIT 3`,
      [kind, kind],
    );
    const [counts] = await books.database.query<RowDataPacket[]>(
      `SELECT ? AS kind, (SELECT COUNT(*) FROM ${sums} s) AS expected, COUNT(*) AS counted
       FROM ${databaseName("rank")}.t_rank_total WHERE generation = 1 AND kind = ?
         ${kind === 31 ? "AND period >= DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 8 HOUR, '%Y%m%d')" : ""}
       HAVING expected <> counted`,
      [kind, kind],
    );
    found.push(...wrong, ...counts);
  }
  return found;
}

function ranks(...args: string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, CONSOLE_NAME: "tester", CONSOLE_URL: process.env.NATS_URL };
  const script = join(projectRoot(), "scripts/ranks.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env }, (error, out) => {
      resolve({ code: error ? Number(error.code) : 0, out });
    });
  });
}

test("a new rank service counts all gifts of the books while events go on; a node that is killed at it is followed by another, and the sums are equal to the last coin", async () => {
  await fillBooks();
  dying = startChild({
    name: "rank",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "rank", JSON.stringify({ jobLeaseMs: 2_000 })],
    cwd: projectRoot(),
    env: { NODE_LABEL: "rank-1" },
    output: { prefix: "rank|" },
    ready: /^ready (\{.*\})$/,
  });
  const { nodeId } = JSON.parse((await dying.ready)?.[1] as string) as { nodeId: string };
  const news = Array.from({ length: 50 }, (_, n) => gift({ roomId: 1 + (n % 3), receiverId: "71" }));
  await books.settle(news);
  const begun = await eventually(
    "it is at work",
    async () => {
      const now = await job();
      return now?.cursor_id !== null && now?.state === "running" ? now : undefined;
    },
    30_000,
  );
  process.kill(dying.pid as number, "SIGKILL");
  await dying.exited;
  const left = await job();
  // A rebuild that is over before the kill shows nothing.
  await eventually(
    "it is killed at work",
    () => left?.state === "running" && Number(left.cursor_id) < Number(left.until_id),
    0,
  );
  const startedAt = performance.now();
  await startNode("rank-2", [quick]);
  await caller.waitForServices(["rank"]);
  await waitUntilForgotten(caller, "rank", nodeId);
  for (let from = 0; from < news.length; from += 7) await books.publish(news.slice(from, from + 7));
  const rebuilt = await ended(caller, "rebuild", workMs);
  expect(rebuilt.begun).toBe(begun.begun_time.toISOString());
  if (records >= 1_000_000)
    console.log(`${rebuilt.gifts} gifts rebuilt, ${Math.round(performance.now() - startedAt)} ms after the kill`);
  await eventually("the events are counted", async () => (await differences()).length === 0 || undefined, 20_000).catch(
    async () => expect(await differences()).toEqual([]),
  );
  const verifying = performance.now();
  const found = await verified(caller, workMs);
  expect([found.state, found.differences, found.shown]).toEqual(["done", 0, []]);
  if (records >= 1_000_000) console.log(`verified in ${Math.round(performance.now() - verifying)} ms`);
});

test("npm run ranks tells the status, rebuilds and verifies; it ends with 2 where a sum is wrong by one coin, and names it", async () => {
  await books.database.query(
    `UPDATE ${databaseName("rank")}.t_rank_total SET coins = coins - 1 WHERE kind = 24 AND user_id = 75`,
  );
  const wrong = await ranks("verify");
  expect([wrong.code, wrong.out]).toEqual([
    ...[2, expect.stringMatching(/^THE RANKS DIFFER in 1 places:\n {2}anchors, all time, user 75: \d+ coins/)],
  ]);
  expect((await ranks("status")).out).toMatch(/^generation 1, time zone Asia\/Shanghai\n[\s\S]*THE RANKS DIFFER in 1 /);
  expect(await ranks("rebuild", "--from", "2020-01-01")).toEqual({
    ...{ code: 0, out: `rebuilt: ${(records + 50).toLocaleString("en")} gifts read, 0 of them were not counted\n` },
  });
  const anew = await ranks("rebuild", "--anew", "--json");
  const all = records + 50;
  expect([anew.code, JSON.parse(anew.out)]).toMatchObject([0, { state: "done", gifts: all, counted: all }]);
  expect((await verified(caller, workMs)).differences).toBe(0);
  for (const odd of [["rebuild", "--from", "tomorrow"], ["other"]])
    expect([odd, (await ranks(...odd)).code]).toEqual([odd, 1]);
});
