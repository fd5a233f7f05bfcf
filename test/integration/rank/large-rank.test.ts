import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database, type Queryable, type Transaction } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { kinds } from "../../../services/rank/boards.ts";
import { GiftCounter, type RecordedGift } from "../../../services/rank/gift-counter.ts";
import { placeBy } from "../../../services/rank/places.ts";
import { beginState } from "../../../services/rank/state-store.ts";
import { fencesOf, findTotal, firstOf, type Sum } from "../../../services/rank/totals-store.ts";
import { stopAll } from "../../support/system.ts";

/** The senders in one rank; a million where figures are wanted, which are printed then. */
const senders = Number(process.env.RANK_SENDERS ?? 30_000);
const isMeasured = senders >= 1_000_000;

jest.setTimeout(60_000 + senders / 2);

let db: Database;

beforeAll(async () => {
  await migrate(databaseName("rank"), migrationFolders.rank);
  db = new Database(databaseName("rank"), { statementTimeoutMs: 0 });
  await db.transaction((tx) => beginState(tx, "Asia/Shanghai"));
});
afterAll(async () => {
  await db?.close();
  await stopAll();
});

const board = { kind: kinds.room.all, period: 0, scope: "7" };

/** Index entries that a read of the session touched, and how long it took. */
async function cost<T>(on: Queryable, read: () => Promise<T>) {
  const touched = async () =>
    (await on.query<{ Variable_name: string; Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'"))
      .filter(({ Variable_name }) => /_(key|next|prev|first)$/.test(Variable_name))
      .reduce((sum, { Value }) => sum + Number(Value), 0);
  const before = await touched();
  const begun = performance.now();
  const answer = await read();
  const ms = performance.now() - begun;
  return { answer, ms, entries: (await touched()) - before };
}

const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[values.length >> 1] as number;

test.each([
  ["all with different sums", "n"],
  ["all with the same sum, reached at different times", "7"],
])("of a rank of many senders, %s, a list and a place read a bounded part of the index", async (_what, coins) => {
  await db.run("TRUNCATE TABLE t_rank_total");
  const digits = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} d`).join(" UNION ALL ")})`;
  const names = ["a", "b", "c", "d", "e", "f"];
  const n = names.map((name, at) => `${name}.d * ${10 ** at}`).join(" + ");
  await db.run(
    `INSERT INTO t_rank_total (generation, kind, period, scope, user_id, coins, reached_ms)
     SELECT 1, 1, 0, 7, 1000000 + n, ${coins === "n" ? "1 + n" : coins}, 5000000 - n FROM
       (SELECT ${n} AS n FROM ${names.map((name) => `${digits} ${name}`).join(", ")} WHERE ${n} < ?) numbers`,
    [senders],
  );
  await db.snapshot(async (own) => {
    const list = await cost(own, () => firstOf(own, 1, board));
    expect(list.answer.length).toBe(100);
    expect(list.answer[0]?.userId).toBe(String(1_000_000 + senders - 1));
    expect(list.entries).toBeLessThan(200);
    const fences = await cost(own, () => fencesOf(own, 1, board));
    expect([fences.answer.length, fences.answer[1]?.userId]).toEqual([40, String(1_000_000 + senders - 251)]);
    expect(fences.entries).toBeLessThan(60_000);
    const times: number[] = [];
    // Beside a fence, the last one that has a place, the middle one and the last one of all.
    for (const [place, expected] of [
      ...[0, 1, 249, 250, 251, 4_999, 9_750, 9_999].map((at) => [at, at + 1] as const),
      ...[10_000, senders / 2, senders - 1].map((at) => [at, null] as const),
    ]) {
      const userId = String(1_000_000 + senders - 1 - place);
      const sum = await cost(own, () => findTotal(own, 1, board, userId));
      const found = await cost(own, () => placeBy(own, 1, board, { fences: fences.answer, sum: sum.answer as Sum }));
      expect([place, found.answer]).toEqual([place, expected]);
      // Each range is cut at a fence, and where the places end.
      expect(sum.entries + found.entries).toBeLessThan(1_500);
      times.push(sum.ms + found.ms);
    }
    if (!isMeasured) return;
    const again: number[] = [];
    for (let n = 0; n < 40; n++) again.push((await cost(own, () => firstOf(own, 1, board))).ms);
    console.log(
      `list: median ${median(again).toFixed(1)} ms; fences: ${fences.ms.toFixed(1)} ms; places: ${times.map((ms) => ms.toFixed(1)).join(", ")} ms`,
    );
  });
});

const giftsFrom = (from: number, count: number): RecordedGift[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ orderId: `o${from + n}`, status: "succeeded" },
    senderId: String(5_000_000_000 + (((from + n) * 7_919) % 1_000_000)),
    ...{ receiverId: String(70 + (n % 100)), roomId: 1 + (n % 100), giftId: 22, count: 1, price: 5, income: 0 },
    ...{ incomePoints: 0, type: 0, url: "", time: new Date().toISOString(), recordId: String(1 + from + n) },
  }));
const clock = { now: async () => Date.now() };

test("a place by fences is the counted one, among equal sums too; who has passed a fence since it was read is counted from the next reading on", async () => {
  await db.run("TRUNCATE TABLE t_rank_total");
  const sums = Array.from({ length: 1_000 }, (_, n) => [1, 1, 0, 7, 1 + n, 5_000 - 2 * (n >> 2), n & 2]);
  await db.run("INSERT INTO t_rank_total VALUES ?", [sums]);
  const fences = await fencesOf(db, 1, board);
  const placeOf = async (userId: string) => {
    const sum = (await findTotal(db, 1, board, userId)) as Sum;
    return [await placeBy(db, 1, board, { fences, sum }), await placeBy(db, 1, board, { fences: [], sum })];
  };
  for (const n of [0, 1, 2, 3, 4, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 499, 500, 501, 999])
    expect([n, await placeOf(String(1 + n))]).toEqual([n, [n + 1, n + 1]]);
  // The last one gets to the first place, and one to the second place behind a fence.
  await db.run("UPDATE t_rank_total SET coins = 9000 WHERE user_id = 1000");
  expect(await placeOf("1000")).toEqual([1, 1]);
  await db.run("UPDATE t_rank_total SET coins = 5000 - 2 * 62 - 1 WHERE user_id = 999");
  expect(await placeOf("999")).toEqual([253, 254]);
});

test("counting gifts of senders who all differ, a thousand in a batch", async () => {
  await db.run("TRUNCATE TABLE t_rank_total");
  const counter = new GiftCounter({ mysql: db, clock });
  const batches = isMeasured ? 60 : 2;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  for (let batch = 0; batch < batches; batch++)
    expect(await counter.count(giftsFrom(batch * 1_000, 1_000))).toBe(1_000);
  expect(await counter.count(giftsFrom(0, 1_000))).toBe(0);
  const { user, system } = process.cpuUsage(cpu);
  if (isMeasured)
    console.log(
      `${Math.round((batches * 1_000_000) / (performance.now() - begun))} gifts/s counted, ` +
        `${Math.round((user + system) / batches / 1_000)} us CPU of the node a gift`,
    );
});

test("a batch of many gifts is counted in transactions of a bounded number of them; where one fails the others stay, and a repeat adds only its gifts", async () => {
  const { giftsPerTransaction } = limits.rank;
  const gifts = giftsFrom(500_000, 2 * giftsPerTransaction + 10);
  const counted = async () => {
    const [row] = await db.query<{ coins: string | null }>(
      "SELECT SUM(coins) AS coins FROM t_rank_total WHERE kind = ? AND user_id IN (?)",
      [kinds.senders.all, gifts.map(({ senderId }) => senderId)],
    );
    return Number(row?.coins ?? 0) / 5;
  };
  let transactions = 0;
  const failsOnce = {
    transaction: <T>(work: (tx: Transaction) => Promise<T>) =>
      db.transaction(async (tx) => {
        const answer = await work(tx);
        if (++transactions === 2) throw new Error("the second one fails");
        return answer;
      }),
  };
  const counter = new GiftCounter({ mysql: failsOnce, clock });
  await expect(counter.count(gifts)).rejects.toThrow("the second one fails");
  expect(await counted()).toBe(giftsPerTransaction);
  expect(await counter.count(gifts)).toBe(giftsPerTransaction + 10);
  expect([await counted(), transactions]).toEqual([gifts.length, 5]);
});
