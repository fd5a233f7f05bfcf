/** @jest-environment ./test/support/own-nats-environment.cjs */
import { dirname, join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { connectNats } from "../../broker/nats-connect.ts";
import { systemUserOf } from "../../broker/nats-names.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { config, databaseName, readConfigAgain } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { mysqlTime, readClock, redisTime, streamClocks } from "../../mixins/clock/read-clock.ts";
import { deadLetters, streamNames } from "../../mixins/jetstream/definitions.ts";
import { ensureStreams } from "../../mixins/jetstream/ensure-streams.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { isAtLeast } from "../../mixins/preflight/checks.ts";
import { look } from "../../mixins/preflight/look.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";
import { type Child, type ChildExit, startChild } from "../../scripts/children.ts";
import { processSettings } from "../../scripts/local-env.ts";
import { loginsOf, loginsOfPerson } from "../../scripts/preflight-logins.ts";
import { ensureNatsLogin, removeNatsLogins } from "../../scripts/stack/nats-logins.ts";
import { claimFreePort, LOOPBACK } from "../../scripts/stack/ports.ts";
import { prepareRedis, removeRedisLogins } from "../../scripts/stack/redis-logins.ts";
import battle from "../../services/battle/battle.service.ts";
import { migrationFolders } from "../../services/databases.ts";
import provisioner from "../../services/provisioner/provisioner.service.ts";
import { eventStream } from "../../services/streams.ts";
import { type PrivateServer, privateMysql } from "../support/private-server.ts";
import { eventually, startNode, stopAll } from "../support/system.ts";

/**
 * A nats-server and a database of this file alone, with settings that lose money: one copy of each stream, and a log of
 * the database that is flushed once a second.
 */

jest.setTimeout(60_000);

const stackDir = dirname(process.env.TEST_STACK_ENV as string);
const natsAdmin = process.env.NATS_ADMIN_URL as string;
const notificationUrls: Record<string, string> = {};
const started: Child[] = [];
let db: PrivateServer;
let atDb: Connection;
/** Before 2.10 nats-server says by its version that it syncs late; newer ones tell the administrator alone. */
let syncIsKnown: boolean;

const flush = (value: 0 | 1 | 2) => atDb.query(`SET GLOBAL innodb_flush_log_at_trx_commit = ${value}`);
const accepted = ["nats.replicas", "nats.sync", "mysql.flush"];

beforeAll(async () => {
  db = await privateMysql();
  process.env.MYSQL_URL = db.url;
  readConfigAgain();
  atDb = await createConnection({ uri: db.url, timezone: "Z" });
  const { NAMESPACE: namespace } = config();
  await migrate(databaseName("notification"), migrationFolders.notification);
  await startNode("maker", [provisioner]);
  const { env } = await ensureNatsLogin(stackDir, { role: "notification", namespace });
  Object.assign(notificationUrls, env);
  const connection = await connectNats(natsOptions("preflight-test", natsAdmin));
  syncIsKnown = isAtLeast(connection.info?.version ?? "", limits.preflight.natsWithSyncInterval) === false;
  await ensureStreams(await connection.jetstreamManager(), [eventStream, deadLetters]);
  await connection.close();
});
beforeEach(() => flush(2));
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop(20_000)));
});
afterAll(async () => {
  await stopAll();
  await removeNatsLogins(stackDir, config().NAMESPACE);
  await atDb?.end();
  await db?.close();
});

interface Run {
  readonly child: Child;
  readonly lines: string[];
  readonly text: () => string;
}

/** A process with these settings, and with none that belong to other services. */
function run(script: string, args: readonly string[], env: Record<string, string | undefined>, ready?: RegExp): Run {
  const foreign = processSettings.foreign(["notification"], process.env).map((name) => [name, undefined]);
  const lines: string[] = [];
  const child = startChild({
    ...{ name: script, command: process.execPath, cwd: projectRoot() },
    args: [join(projectRoot(), "scripts", script), ...args],
    env: { ...Object.fromEntries(foreign), LOG_LEVEL: "info", ...env },
    output: { to: (line) => lines.push(line) },
    ...(ready && { ready }),
  });
  // Whether it becomes ready is what a test asks.
  child.ready.catch(() => undefined);
  started.push(child);
  return { child, lines, text: () => lines.join("\n") };
}

/** A notification node in production, on this file's servers. */
const runNode = (PREFLIGHT_ACCEPT: string, env: Record<string, string> = {}) =>
  run(
    "node.ts",
    ["notification"],
    {
      ...{ PROFILE: "production", SMS_PROVIDER: "webhook", SMS_WEBHOOK_URL: "https://sms.example/send" },
      ...{ ...notificationUrls, MYSQL_URL: db.url, PREFLIGHT_ACCEPT, ...env },
    },
    /^ready (\{.*\})$/,
  );

/** The log lines of findings: check and level. */
const found = ({ lines }: Run) =>
  lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { check?: string; level: number })
    .flatMap(({ check, level }) => (check === undefined ? [] : [[check, level]]));

const exitOf = ({ child }: Run): Promise<ChildExit> => child.exited;

describe("a node in production", () => {
  test("does not start where money is at risk, and says what, which promise, the repair and what accepts it", async () => {
    const node = runNode("");
    expect((await exitOf(node)).code).toBe(limits.preflight.refusedExitCode);
    const text = node.text();
    expect(text).toMatch(/^nats\.replicas \(money\) at 127\.0\.0\.1:\d+$/m);
    expect(text).toMatch(/^mysql\.flush \(money\) at 127\.0\.0\.1:\d+$/m);
    expect(text).toContain("promise  1 (an accepted gift ends once, as succeeded or failed)");
    expect(text).toContain("SET GLOBAL innodb_flush_log_at_trx_commit=1");
    expect(text).toMatch(/^Repair it, or accept .*PREFLIGHT_ACCEPT=nats\.replicas,(nats\.sync,)?mysql\.flush$/m);
    expect(text).not.toMatch(/^ready/m);
    expect(text).not.toContain(new URL(db.url).password);
    expect(found(node)).toEqual(
      expect.arrayContaining([
        ["nats.replicas", 50],
        ["mysql.flush", 50],
        ["mysql.binlog", 30],
      ]),
    );
  });

  test("starts where each of them is accepted, and reports them as warnings", async () => {
    const node = runNode(accepted.join());
    await node.child.ready;
    expect(found(node)).toEqual(
      expect.arrayContaining([
        ["nats.replicas", 40],
        ["mysql.flush", 40],
      ]),
    );
  });

  test("does not start where some of them are accepted, and names the others alone", async () => {
    const refused = runNode("nats.replicas,nats.sync");
    expect((await exitOf(refused)).code).toBe(limits.preflight.refusedExitCode);
    expect(refused.text()).toMatch(/^mysql\.flush \(money\)/m);
    expect(refused.text()).not.toMatch(/^nats\.\w+ \(money\)/m);
  });

  test("refuses a name that is no check's before it looks", async () => {
    const node = runNode("mysql.flsh");
    expect((await exitOf(node)).code).toBe(1);
    expect(node.text()).toContain('PREFLIGHT_ACCEPT: has no check of this name: "mysql.flsh"');
    expect(found(node)).toEqual([]);
  });
});

test("npm run preflight ends with 2 where money is at risk, and with 0 where it is accepted or repaired", async () => {
  const servers = { NATS_ADMIN_URL: natsAdmin, MYSQL_ADMIN_URL: db.url, REDIS_URL: process.env.REDIS_URL };
  const json = async (PREFLIGHT_ACCEPT: string) => {
    const command = run("preflight.ts", ["--json"], { ...servers, PREFLIGHT_ACCEPT });
    const { code } = await exitOf(command);
    const result = JSON.parse(command.lines.find((line) => line.startsWith("{")) as string) as {
      risks: number;
      findings: { check: string; severity: string; accepted: boolean; promises: number[]; repair: string }[];
      seen: string[];
    };
    return { code, ...result };
  };
  const all = await json("");
  expect([all.code, all.seen.length]).toEqual([2, 3]);
  expect(all.findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ check: "mysql.flush", severity: "money", accepted: false, promises: [1, 3, 4] }),
      expect.objectContaining({ check: "nats.replicas", severity: "money" }),
      expect.objectContaining({ check: "nats.sync", severity: "money" }),
    ]),
  );
  await flush(1);
  const well = await json("nats.replicas,nats.sync");
  expect([well.code, well.risks]).toEqual([0, 0]);
  expect(well.findings.filter(({ check }) => check === "mysql.flush")).toEqual([]);
});

describe("by a service's own logins", () => {
  test("streams, settings and clocks are seen, and a server that is away is no finding", async () => {
    const { NAMESPACE: namespace, REDIS_URL: adminUrl } = config();
    const atRedis = await prepareRedis(stackDir, { adminUrl, namespace, services: ["gift"] });
    const closed = await claimFreePort(20_000 + Math.floor(Math.random() * 10_000), new Set());
    const before = { ...process.env };
    Object.assign(process.env, {
      ...{ NOTIFICATION_NATS_URL: notificationUrls.NATS_URL, NOTIFICATION_MYSQL_URL: db.url },
      ...{
        ...atRedis,
        GIFT_NATS_URL: `nats://gift:x@${LOOPBACK}:${closed}`,
        GIFT_MYSQL_URL: `mysql://u:p@${LOOPBACK}:${closed}`,
      },
    });
    try {
      const { findings, seen, unseen } = await look(loginsOf(["notification", "gift"]));
      const checks = findings.map(({ check }) => check);
      expect(checks).toEqual(
        expect.arrayContaining(["nats.replicas", "nats.sync", "mysql.flush", "redis.persistence"]),
      );
      expect(findings.find(({ check }) => check === "nats.sync")?.severity).toBe(syncIsKnown ? "money" : "note");
      expect(findings.find(({ check }) => check === "nats.replicas")?.found).toMatch(/^1 of \S*(DEAD|EVENTS)/);
      expect(checks).not.toContain("clock.skew");
      expect(seen).toHaveLength(3);
      expect(unseen.map(({ server }) => server)).toEqual([`${LOOPBACK}:${closed}`, `${LOOPBACK}:${closed}`]);
      expect(findings.some(({ server }) => server.includes(String(closed)))).toBe(false);
    } finally {
      process.env = before;
      if (atRedis.GIFT_REDIS_URL) await removeRedisLogins(stackDir, adminUrl, namespace);
    }
  });

  test("the node of a provisioner compares its JETSTREAM_REPLICAS with the streams; a person's shell may lack it", () => {
    const before = { ...process.env };
    Object.assign(process.env, { NATS_ADMIN_URL: "", GIFT_NATS_URL: notificationUrls.NATS_URL });
    try {
      const provisions = (logins: ReturnType<typeof loginsOf>) => logins.nats.some((login) => login.provisions);
      expect(provisions(loginsOf(["gift", "provisioner"]))).toBe(true);
      expect([loginsOf(["gift"]), loginsOfPerson(["gift", "provisioner"])].map(provisions)).toEqual([false, false]);
    } finally {
      process.env = before;
    }
  });

  test("a session of a service has its isolation level, its sql_mode and UTC, whatever the server has", async () => {
    await atDb
      .query("SET GLOBAL transaction_isolation = 'REPEATABLE-READ', GLOBAL sql_mode = '', GLOBAL time_zone = '+08:00'")
      .catch(() =>
        atDb.query("SET GLOBAL tx_isolation = 'REPEATABLE-READ', GLOBAL sql_mode = '', GLOBAL time_zone = '+08:00'"),
      );
    const { findings } = await look({ nats: [], mysql: [db.url], redis: [], buckets: [] });
    expect(findings.filter(({ check }) => /isolation|sql_mode|time_zone/.test(check))).toEqual([]);
  });
});

describe("clocks", () => {
  test("of MySQL, NATS and Redis are read beside the node's own, which may be the wrong one", async () => {
    const service = await connectNats(natsOptions("preflight-test", notificationUrls.NATS_URL));
    const manager = await service.jetstreamManager({ checkAPI: false });
    const redis = openRedis("gift", () => undefined, config().REDIS_URL);
    await redis.connect();
    const query = async <Row extends object>(sql: string) => (await atDb.query(sql))[0] as Row[];
    const all = async () => [
      ...(await streamClocks(manager, streamNames(eventStream))),
      await readClock("mysql", () => mysqlTime({ query })),
      await readClock("redis", () => redisTime(redis)),
    ];
    try {
      const right = await all();
      // nats-server tells its time from 2.10 on.
      expect(right).toHaveLength(syncIsKnown ? 2 : 3);
      for (const { ms, uncertainMs } of right) expect(Math.abs(ms)).toBeLessThanOrEqual(uncertainMs + 5);
      const now = Date.now.bind(Date);
      const wrong = jest.spyOn(Date, "now").mockImplementation(() => now() + 30_000);
      const readings = await all();
      wrong.mockRestore();
      for (const { ms, uncertainMs } of readings) expect(Math.abs(ms + 30_000)).toBeLessThanOrEqual(uncertainMs + 5);
    } finally {
      redis.disconnect();
      await service.close();
    }
  });

  test("of MySQL and JetStream are in the metrics of a battle node, whatever the version of nats-server", async () => {
    const broker = await startNode("watching", [battle]);
    const clocksOf = () =>
      broker.metrics
        .list({ includes: "ovation.clock.skew.seconds" })
        .flatMap(({ values }) => [...values.values()] as { value: number; labels: { clock: string } }[]);
    await eventually("both clocks are read", () => clocksOf().length === 2);
    expect(
      clocksOf()
        .map(({ labels }) => labels.clock)
        .sort(),
    ).toEqual(["mysql", "nats"]);
    for (const { value } of clocksOf()) expect(Math.abs(value)).toBeLessThan(10);
  });
});

test("the server's own account is the administrator's alone", async () => {
  const options = natsOptions("preflight-test", notificationUrls.NATS_URL);
  if (!("user" in options)) throw new Error("the service has no login");
  await expect(connectNats({ ...options, user: systemUserOf(options.user), maxReconnectAttempts: 0 })).rejects.toThrow(
    /authorization/i,
  );
});
