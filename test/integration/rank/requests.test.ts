import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { askForMissed, askForRebuild, begin } from "../../../services/rank/job-requests.ts";
import { findJob, moveJob } from "../../../services/rank/jobs-store.ts";
import { findState } from "../../../services/rank/state-store.ts";
import { stopAll } from "../../support/system.ts";

let db: Database;
const zone = "Asia/Shanghai";
const day = (number: number) => new Date(Date.UTC(2026, 10, number));
const ask = (since: Date | null, anew = false) => askForRebuild(db, { since, anew, zone });
const job = async () => {
  const found = await findJob(db, "rebuild");
  return found && [found.state, found.since, found.cursor, found.againSince];
};

beforeAll(async () => {
  await migrate(databaseName("rank"), migrationFolders.rank);
  db = new Database(databaseName("rank"));
});
afterAll(async () => {
  await db?.close();
  await stopAll();
});

/** A rebuild of all gifts that runs and is at record 40. */
async function onItsWay(): Promise<void> {
  await db.run("DELETE FROM t_rank_job");
  await db.run("DELETE FROM t_rank_state");
  await begin(db, zone);
  const begun = (await findJob(db, "rebuild"))?.begun as Date;
  await moveJob(db, "rebuild", { begun, cursor: "40", until: "90", gifts: 40, counted: 40 });
  expect(await job()).toEqual(["running", null, "40", null]);
}

test("a rebuild of all gifts that runs goes on where one from a day on is asked for, which follows from the earliest day", async () => {
  await onItsWay();
  await ask(day(20));
  expect(await job()).toEqual(["running", null, "40", day(20)]);
  await askForMissed(db, day(12));
  await ask(day(15));
  expect(await job()).toEqual(["running", null, "40", day(12)]);
  // What follows is not forgotten where the one that runs is asked for once more.
  await ask(null);
  expect(await job()).toEqual(["running", null, "40", day(12)]);
});

test("a rebuild from a day on is given up for one of all gifts, and for no other", async () => {
  await onItsWay();
  await db.run("UPDATE t_rank_job SET since_time = ?", [day(10)]);
  await ask(day(10));
  expect(await job()).toEqual(["running", day(10), "40", null]);
  await ask(day(5));
  expect(await job()).toEqual(["running", day(10), "40", day(5)]);
  await ask(null);
  expect(await job()).toEqual(["running", null, null, null]);
});

test("one that has ended is followed by any, and a new generation begins with all gifts", async () => {
  await onItsWay();
  await db.run("UPDATE t_rank_job SET state = 'done'");
  await ask(day(10));
  expect(await job()).toEqual(["running", day(10), null, null]);
  await ask(day(11));
  await ask(null, true);
  expect([await job(), (await findState(db))?.generation]).toEqual([["running", null, null, null], 2]);
});
