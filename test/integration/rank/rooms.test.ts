import { setTimeout as pause } from "node:timers/promises";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database, type Transaction } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { GiftCounter } from "../../../services/rank/gift-counter.ts";
import { RankMaintenance, removeRoom } from "../../../services/rank/maintenance.ts";
import { beginState, nextGeneration } from "../../../services/rank/state-store.ts";
import { lockWaits } from "../../support/lock-waits.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { gift } from "./records.ts";

let db: Database;
const zone = "Asia/Shanghai";
const quietSince = Date.now() - limits.rank.roomsKeptMs;
const old = quietSince - 60_000;
const clock = { now: async () => Date.now() };

beforeAll(async () => {
  await migrate(databaseName("rank"), migrationFolders.rank);
  db = new Database(databaseName("rank"));
  await db.transaction((tx) => beginState(tx, zone));
});
afterAll(async () => {
  await db?.close();
  await stopAll();
});

const addOldBoard = async (roomId: number) => {
  await db.run("INSERT INTO t_rank_total VALUES (1, 1, 0, ?, 5, 10, ?)", [roomId, old]);
  await db.run("INSERT INTO t_rank_room VALUES (?, ?)", [roomId, old]);
};
const giftIn = (roomId: number, time = new Date().toISOString()) => ({
  ...gift({ roomId, time, senderId: "6" }),
  ...{ orderId: `o${roomId}`, giftId: 22, income: 0, incomePoints: 0, type: 0, url: "" },
});
const left = async (roomId: number) => [
  (await db.query<{ user_id: string }>("SELECT user_id FROM t_rank_total WHERE kind = 1 AND scope = ?", [roomId])).map(
    (row) => Number(row.user_id),
  ),
  (await db.query("SELECT 1 FROM t_rank_room WHERE room_id = ?", [roomId])).length,
];

/** Transactions that end once `release` is called. */
function held() {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const transaction = <T>(work: (tx: Transaction) => Promise<T>) =>
    db.transaction(async (tx) => {
      const answer = await work(tx);
      reached.resolve();
      await released.promise;
      return answer;
    });
  return { mysql: { transaction }, reached: reached.promise, release: released.resolve };
}

/** Resolves where a transaction waits for a lock. InnoDB makes this table anew after 100 ms without a look at it. */
const waits = () =>
  eventually("a transaction waits", async () => {
    await pause(150);
    return (await db.query(lockWaits)).length > 0;
  });

test("a gift that is being counted while its quiet room is removed keeps the board and the room", async () => {
  await addOldBoard(1);
  const counting = held();
  const counted = new GiftCounter({ mysql: counting.mysql, clock }).count([giftIn(1)]);
  await counting.reached;
  const removed = removeRoom(db, 1, quietSince);
  await waits();
  counting.release();
  expect([await counted, await removed, await left(1)]).toEqual([1, false, [[5, 6], 1]]);
});

test("an old gift, of a rebuild, that is counted while its room is removed leaves no board without a room", async () => {
  await addOldBoard(2);
  const removing = held();
  const removed = removeRoom(removing.mysql, 2, quietSince);
  await removing.reached;
  const counted = new GiftCounter({ mysql: db, clock }).count([giftIn(2, new Date(old).toISOString())]);
  await waits();
  removing.release();
  expect([await counted, await removed, await left(2)]).toEqual([1, false, [[6], 1]]);
  expect([await removeRoom(db, 2, quietSince), await left(2)]).toEqual([false, [[], 0]]);
});

test("sums of earlier generations are removed also while the service of the rooms is away", async () => {
  await addOldBoard(3);
  await db.transaction((tx) => nextGeneration(tx, zone));
  const broker = await startNode("rank", []);
  const counter = new GiftCounter({ mysql: db, clock });
  const maintenance = new RankMaintenance({
    ...{ mysql: db, broker, counter, logger: broker.logger, settings: { maintenanceEveryMs: 200 } },
  } as never);
  try {
    await eventually("they are removed", async () => (await db.query("SELECT 1 FROM t_rank_total")).length === 0);
    expect(await left(3)).toEqual([[], 1]);
  } finally {
    await maintenance.stop();
  }
});
