import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { Totals } from "../../../services/rank/boards.ts";
import { GiftCounter, type RecordedGift } from "../../../services/rank/gift-counter.ts";
import { type RecomputationPorts, recompute, stillNotCounted } from "../../../services/rank/recomputation.ts";
import { beginState, nextGeneration } from "../../../services/rank/state-store.ts";
import { stopAll } from "../../support/system.ts";
import { gift } from "./records.ts";

let db: Database;
let counter: GiftCounter;

beforeAll(async () => {
  await migrate(databaseName("rank"), migrationFolders.rank);
  db = new Database(databaseName("rank"));
  await db.transaction((tx) => beginState(tx, "Asia/Shanghai"));
  counter = new GiftCounter({ mysql: db, clock: { now: async () => Date.now() } });
});
afterAll(async () => {
  await db?.close();
  await stopAll();
});

/** To two anchors, of senders whose ids differ in no low bit. */
const gifts: readonly RecordedGift[] = Array.from({ length: 400 }, (_, n) => ({
  ...gift({ senderId: String(2n ** 40n + BigInt(n) * 2n ** 22n), receiverId: String(70 + (n % 2)), roomId: 5 }),
  ...{ orderId: `o${n}`, giftId: 22, income: 0, incomePoints: 0, type: 0, url: "" },
}));
const pageGifts = 25;

test("a verification holds a bounded number of sums, however few of them the server's estimate says there are, and compares each once", async () => {
  const uncounted = gifts.at(-1) as RecordedGift;
  await counter.count(gifts.slice(0, -1));
  await db.run("UPDATE t_rank_total SET coins = coins + 1 WHERE kind = 24 AND user_id = 70");
  const [{ rows } = { rows: 0 }] = await db.query<{ rows: number }>("SELECT COUNT(*) AS `rows` FROM t_rank_total");
  let held = 0;
  const add = Totals.prototype.add;
  jest.spyOn(Totals.prototype, "add").mockImplementation(function (this: Totals, one) {
    add.call(this, one);
    held = Math.max(held, this.size);
  });
  const most = 500;
  const found = await db.snapshot((own) => {
    const ports: RecomputationPorts = {
      ...{ db: own, generation: 1, calendar: counter.calendarOf("Asia/Shanghai"), nowMs: Date.now() },
      async page(cursor) {
        const next = Number(cursor) + pageGifts;
        return {
          gifts: gifts.slice(Number(cursor), next),
          nextCursor: next < gifts.length ? `${next}` : null,
          until: "9",
        };
      },
      read: async () => {},
    };
    return recompute(ports, { parts: 1, most });
  });
  expect(Number(rows)).toBeGreaterThan(3 * most);
  // A page is added before it is looked at; a gift is on 13 boards.
  expect(held).toBeLessThanOrEqual(most + 13 * pageGifts);
  expect([found.compared, found.differences, found.notCounted]).toEqual([
    Number(rows),
    1,
    [Number(uncounted.recordId)],
  ]);
  expect(found.shown).toEqual([expect.stringMatching(/^anchors, all time, user 70: 2001 coins/)]);
});

test("a gift that is not counted is none of a generation that another one has followed", async () => {
  const [counted, not] = [gifts[0], gifts.at(-1)].map((one) => Number(one?.recordId)) as [number, number];
  expect(await stillNotCounted(db, 1, [counted, not])).toEqual([not]);
  await db.transaction((tx) => nextGeneration(tx, "Asia/Shanghai"));
  expect(await stillNotCounted(db, 1, [counted, not])).toEqual([]);
});
