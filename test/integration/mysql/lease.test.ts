import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { eventually, stopAll } from "../../support/system.ts";

const name = databaseName("lease");
let mysql: Database;
let works = 0;

beforeAll(async () => {
  await migrate(name, []);
  mysql = new Database(name);
});
afterAll(async () => {
  await mysql.close();
  await stopAll();
});
afterEach(() => jest.restoreAllMocks());

const leaseOf = (holder: string, ms: number) => new DatabaseLease({ mysql, name: `work-${works}`, holder, ms });

/** Two nodes that want the same work, which is each test's own. */
function contenders(ms: number): [DatabaseLease, DatabaseLease] {
  works++;
  return [leaseOf("node-a", ms), leaseOf("node-b", ms)];
}

test("of many nodes that want a lease that nobody ever held one gets it", async () => {
  works++;
  const nodes = Array.from({ length: 8 }, (_, i) => leaseOf(`n${i}`, 60_000));
  const held = await Promise.all(nodes.map((node) => node.hold()));
  expect(held.filter(Boolean)).toHaveLength(1);
});

test("the holder can renew the lease; another node gets it once it is given back", async () => {
  const [a, b] = contenders(60_000);
  expect([await a.hold(), await b.hold(), await a.hold(), await b.hold()]).toEqual([true, false, true, false]);
  await b.giveBack();
  expect(await b.hold()).toBe(false);
  await a.giveBack();
  expect([await b.hold(), await a.hold()]).toEqual([true, false]);
});

test("the lease of a dead node is free when it expires by the database's clock, however wrong the nodes' clocks are", async () => {
  const [a, b] = contenders(60_000);
  const now = Date.now();
  jest.spyOn(Date, "now").mockReturnValue(now - 3_600_000);
  expect(await a.hold()).toBe(true);
  jest.spyOn(Date, "now").mockReturnValue(now + 3_600_000);
  expect(await b.hold()).toBe(false);
  // The last renewal of the node that dies.
  expect(await leaseOf("node-a", 300).hold()).toBe(true);
  jest.restoreAllMocks();
  await eventually("the other node holds it", () => b.hold());
  expect(await a.hold()).toBe(false);
});

test("a node that was delayed beyond its lease does nothing, whether another node holds it or not", async () => {
  const [a, b] = contenders(50);
  await a.hold();
  await eventually("its time is over", async () => (await a.fenced(async () => true)) === undefined);
  const work = jest.fn(async () => true);
  expect(await a.fenced(work)).toBeUndefined();
  expect(await b.hold()).toBe(true);
  expect(await a.fenced(work)).toBeUndefined();
  expect(work).not.toHaveBeenCalled();
});

test("nobody takes the lease between its check and the commit, also when it expires in between", async () => {
  const [a, b] = contenders(1_000);
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  // A lease that is over before its work begins is taken again.
  const working = eventually("a works", async () => {
    await a.hold();
    return a.fenced(async (tx) => {
      begun.resolve();
      await tx.query("SELECT SLEEP(1.5)");
      order.push("a did its work");
      return true;
    });
  });
  await begun.promise;
  await eventually("b holds it", () => b.hold());
  order.push("b holds it");
  await working;
  expect(order).toEqual(["a did its work", "b holds it"]);
});
