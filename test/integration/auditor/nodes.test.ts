import { join } from "node:path";
import type { Service, ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import type { AuditJob } from "../../../services/auditor/audit-job.ts";
import { rows } from "../../support/books.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import {
  fastAudit,
  findings,
  found,
  funded,
  newUser,
  openDatabases,
  startAuditor,
  startWallet,
} from "./bookkeeping.ts";

jest.setTimeout(120_000);

/** A node that lives does not lose it where the machine stalls for seconds. */
const leaseMs = 10_000;

let caller: ServiceBroker;
let intruder: Connection;
let dying: Child;
let dyingId: string;
let survivor: ServiceBroker;

beforeAll(async () => {
  intruder = await openDatabases();
  await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  // It rests for seconds after each page, so that a pass takes much longer than the test.
  const settings = { ...fastAudit, passEveryMs: 0, pageRestFactor: 1_000_000, leaseMs };
  dying = startChild({
    name: "auditor",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "auditor", JSON.stringify(settings)],
    cwd: projectRoot(),
    env: { NODE_LABEL: "auditor-1" },
    output: { prefix: "auditor|" },
    ready: /^ready (\{.*\})$/,
  });
  dyingId = (JSON.parse((await dying.ready)?.[1] as string) as { nodeId: string }).nodeId;
});
afterAll(async () => {
  await dying?.stop(1_000);
  await intruder?.end();
  await closeAudits();
  await stopAll();
});

const holder = async () =>
  (await rows<{ holder: string }>("auditor", "SELECT holder FROM t_lease WHERE name = 'audit'"))[0]?.holder;
const passes = () => rows("auditor", "SELECT id FROM t_book_pass");

test("of two auditors one compares; when it dies in a pass the other goes on and names what differs", async () => {
  await eventually("the first one compares", async () => (await holder()) === dyingId, 20_000);
  survivor = await startAuditor("auditor-2", { leaseMs });
  const job = () => (survivor.getLocalService("auditor") as unknown as Service & { audit: AuditJob }).audit;
  const user = await funded(intruder, caller, 50);
  await intruder.query("UPDATE t_qiyu_currency_account SET total_charged = 51 WHERE user_id = ?", [user]);
  // The lease is renewed while the pass rests: the second auditor has asked for it several times by then.
  const [until] = await rows<{ t: Date }>("auditor", "SELECT until_time AS t FROM t_lease WHERE name = 'audit'");
  await eventually("the lease is renewed within the pass", async () => {
    const [now] = await rows<{ t: Date }>("auditor", "SELECT until_time AS t FROM t_lease WHERE name = 'audit'");
    return (now?.t.getTime() ?? 0) > (until?.t.getTime() ?? 0);
  });
  expect([await holder(), job().compared, (await passes()).length]).toEqual([dyingId, 0, 0]);
  // A round names it: the pass does not come to the accounts while this test runs.
  const other = await funded(intruder, caller, 50);
  const set = (balance: number) =>
    intruder.query("UPDATE t_qiyu_currency_account SET current_balance = ? WHERE user_id = ?", [balance, other]);
  await set(51);
  expect((await found("balanceDiffers", `account ${other}`)).detail).toContain("its last row left 50");
  expect(await passes()).toEqual([]);
  await set(50);
  process.kill(dying.pid as number, "SIGKILL");
  await dying.exited;
  await found("chargedDiffers", `account ${user}`);
  expect(await holder()).toBe(survivor.nodeID);
  expect(job().compared).toBeGreaterThan(0);
  await eventually("a complete pass", async () => (await passes()).length > 0, 20_000);
  expect((await findings()).map(({ kind }) => kind)).toEqual(["balanceDiffers", "chargedDiffers"]);
});

test("the lease is held while a page lasts longer than it, and a pass that left out differences closes no finding", async () => {
  await stopNode(survivor);
  for (let n = 0; n < 30; n++)
    await intruder.query("INSERT INTO t_qiyu_currency_account (user_id, total_charged) VALUES (?, 1)", [newUser()]);
  const own = databaseName("auditor");
  // A difference that a pass did not come to.
  await intruder.query(
    `INSERT INTO ${own}.t_book_finding (kind, subject, detail, measure, found_time, seen_time)
     VALUES ('incomeDiffers', 'anchor 4711', '', '', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
  );
  const third = await startAuditor("auditor-3", { leaseMs: 5_000, secondLookMs: 6_000, findingsPerPass: 1 });
  await eventually("it compares", async () => (await holder()) === third.nodeID, 20_000);
  // A page of a round lasts longer than the lease too, by its second look.
  const user = await funded(intruder, caller, 50);
  await intruder.query("UPDATE t_qiyu_currency_account SET current_balance = 51 WHERE user_id = ?", [user]);
  const states = new Set<number>();
  const [begun] = await rows<{ now: Date }>("auditor", "SELECT UTC_TIMESTAMP(3) AS now");
  await eventually(
    "a pass is over",
    async () => {
      const [lease] = await rows<{ held: number }>(
        "auditor",
        "SELECT until_time > UTC_TIMESTAMP(3) AS held FROM t_lease WHERE name = 'audit' AND holder = ?",
        [third.nodeID],
      );
      if (lease) states.add(Number(lease.held));
      const done = await rows("auditor", "SELECT id FROM t_book_pass WHERE began_time >= ?", [begun?.now]);
      return done.length > 0 && (await findings()).some(({ subject }) => subject === `account ${user}`);
    },
    60_000,
  );
  expect([...states]).toEqual([1]);
  const [left] = (await findings()).filter(({ kind }) => kind === "incomeDiffers");
  expect(left?.gone_time).toBeNull();
});
