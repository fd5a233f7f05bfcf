import type { Database } from "../../../mixins/mysql/database.ts";
import { type Job, MaintenanceJob } from "../../../services/payment/maintenance/job.ts";
import { eventually } from "../../support/eventually.ts";

const quiet = { info() {}, warn() {}, error() {} };

/** A running job with items that are due in each round, and what it did. */
function running(rounds: number[][], { leased = true, handle = async () => true }: Partial<Options> = {}) {
  const did = { looks: 0, writes: 0, handled: [] as number[][] };
  const job: Job<number> = {
    name: "counting",
    everyMs: 60_000,
    atOnce: 5,
    portion: 2,
    async due() {
      return rounds[did.looks++] ?? [];
    },
    handle(items) {
      did.handled.push([...items]);
      return handle();
    },
  };
  const run = async () => {
    did.writes++;
    return { affectedRows: leased ? 1 : 0 };
  };
  const mysql = { run, transaction: () => Promise.reject(new Error("not used")) } as unknown as Database;
  return { did, job: new MaintenanceJob(job, { mysql, logger: quiet, holder: "this-node" }) };
}
interface Options {
  leased: boolean;
  handle(): Promise<boolean>;
}

describe("a maintenance job", () => {
  test("writes nothing where nothing is due", async () => {
    const { did, job } = running([]);
    await eventually("a look", () => did.looks === 1);
    job.wake();
    await eventually("another look", () => did.looks === 2);
    expect(did).toMatchObject({ writes: 0, handled: [] });
    await job.stop();
  });

  test("renews its lease before each portion, and starts the next round at once where there may be more", async () => {
    const { did, job } = running([[1, 2, 3, 4, 5], [6]]);
    await eventually("two looks", () => did.handled.length === 4);
    expect(did).toEqual({ looks: 2, writes: 4, handled: [[1, 2], [3, 4], [5], [6]] });
    await job.stop();
  });

  test("does nothing without the lease", async () => {
    const { did, job } = running([[1]], { leased: false });
    await eventually("it has tried", () => did.writes > 0);
    await job.stop();
    expect(did.handled).toEqual([]);
  });

  test("leaves the rest for the next round where going on makes no sense", async () => {
    const { did, job } = running([[1, 2, 3, 4, 5]], { handle: async () => false });
    await eventually("a portion", () => did.handled.length > 0);
    await job.stop();
    expect(did).toMatchObject({ looks: 1, handled: [[1, 2]] });
  });
});
