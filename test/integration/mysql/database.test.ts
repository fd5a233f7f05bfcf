import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, stopAll } from "../../support/system.ts";

let server: CuttableServer;
let database: Database;
let retries = 0;

beforeAll(async () => {
  server = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = server.url;
  await migrate(databaseName("user"), []);
});
afterAll(async () => {
  await stopAll();
  await server.close();
});

const outcome = (work: Promise<unknown>) => work.then(() => "done", failureName);

describe("a server that stops answering", () => {
  // More than a busy machine keeps a statement waiting that must succeed.
  beforeEach(() => {
    database = new Database(databaseName("user"), { connections: 2, statementTimeoutMs: 1_500 });
  });

  test("costs a transaction its statement's time, and what comes after it finds a new connection", async () => {
    const running = database.transaction(async (tx) => {
      await tx.query("SELECT 1 AS one");
      server.freeze();
      await tx.query("SELECT 2 AS two");
    });
    expect(await outcome(running)).toBe("unavailable");
    expect(await outcome(database.transaction((tx) => tx.query("SELECT 3 AS three")))).toBe("done");
    await database.close();
  });

  test("in the middle of a commit leaves that open", async () => {
    const running = database.transaction(async (tx) => {
      await tx.query("SELECT 1 AS one");
      server.freeze();
    });
    expect(await outcome(running)).toBe("unavailable");
    await database.close();
  });

  test("does not keep the connections that single statements wait on", async () => {
    await Promise.all([1, 2].map(() => database.query("SELECT SLEEP(0.05) AS slept")));
    server.freeze();
    const waiting = [1, 2].map(() => outcome(database.query("SELECT 1 AS one")));
    expect(await Promise.all(waiting)).toEqual(["unavailable", "unavailable"]);
    expect(await database.query("SELECT 1 AS one")).toHaveLength(1);
    await database.close();
  });
});

describe("errors that a client may try again after are told apart from faults", () => {
  beforeEach(() => {
    retries = 0;
    database = new Database(databaseName("user"), { connections: 2, retried: () => retries++ });
  });

  test("a connection that breaks between two statements", async () => {
    const running = database.transaction(async (tx) => {
      const [row] = await tx.query<{ id: string }>("SELECT CONNECTION_ID() AS id");
      await database.run(`KILL ${row?.id}`);
      // Until the client has heard of it: a statement that is under way would be told another error.
      await database.query("SELECT SLEEP(0.1) AS slept");
      await tx.query("SELECT 1 AS one");
    });
    expect(await outcome(running)).toBe("unavailable");
    await database.close();
  });

  test("more statements than may wait for a connection", async () => {
    const waiting = Array.from({ length: limits.mysql.poolQueueLength + 2 }, () => database.query("SELECT 1 AS one"));
    expect(await outcome(database.query("SELECT 1 AS one"))).toBe("unavailable");
    await Promise.all(waiting);
    await database.close();
  });

  test("a database that is closed already", async () => {
    await database.close();
    expect(await outcome(database.query("SELECT 1 AS one"))).toBe("unavailable");
  });

  test.each([
    ["a deadlock at every try", 1213, limits.mysql.transactionRetries],
    ["a group that takes the transaction back at every try", 3101, limits.mysql.transactionRetries],
    ["rows that stay locked", 1205, limits.mysql.transactionRetries],
    ["a server that was made a replica", 1290, 0],
    ["a full disk", 1021, 0],
  ])("%s", async (_what, errno, expected) => {
    const running = database.transaction((tx) => tx.query(`SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${errno}`));
    expect(await outcome(running)).toBe("unavailable");
    expect(retries).toBe(expected);
    await database.close();
  });

  test("a statement that no try can help stays what it is", async () => {
    await expect(database.transaction((tx) => tx.query("SELECT nothing"))).rejects.toMatchObject({ errno: 1054 });
    await expect(database.query("SELECT nothing")).rejects.toMatchObject({ errno: 1054 });
    await database.close();
  });
});

test("a pool shows its connections in use, and the callers that wait for one", async () => {
  const pooled = new Database(databaseName("user"), { connections: 2 });
  expect(pooled.pool).toEqual({ busy: 0, open: 0, most: 2, waiting: 0 });
  const release = Promise.withResolvers<void>();
  const running = [1, 2, 3].map(() => pooled.transaction(() => release.promise));
  await eventually("both connections are in use", () => pooled.pool.busy === 2 && pooled.pool.waiting === 1);
  release.resolve();
  await Promise.all(running);
  expect(pooled.pool).toEqual({ busy: 0, open: 2, most: 2, waiting: 0 });
  await pooled.close();
});
