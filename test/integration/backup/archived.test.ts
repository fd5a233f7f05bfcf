import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { Snapshot } from "../../../scripts/backup/dump.ts";
import { keyNames } from "../../../scripts/backup/key-names.ts";
import { takeBackup } from "../../../scripts/backup/take-backup.ts";
import { databaseServices } from "../../../scripts/databases.ts";
import { type RestoreOptions, restore } from "../../../scripts/restore/run-restore.ts";
import { archivedRecords, archivedTrades } from "../../../services/archived-tables.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import gift from "../../../services/gift/gift.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { TestMover } from "../auditor/archiving.ts";

/** A backup and its restoring while closed months are being archived. */

jest.setTimeout(120_000);

const anchor = "9000000000000000077";
const fan = "9000000000000000101";
const room = 5;

let folder: string;
let admin: Connection;
let nats: NatsConnection;
let caller: ServiceBroker;
let nodes: ServiceBroker[] = [];
const requests = new Map<string, string>();

const router = {
  name: "im-router",
  actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) },
} as unknown as ServiceSchema;

async function startNodes(): Promise<void> {
  nodes = await Promise.all([startNode("wallet", [wallet]), startNode("gift", [gift])]);
  await caller.waitForServices(["wallet", "gift"]);
}

async function stopNodes(): Promise<void> {
  for (const node of nodes.splice(0)) await stopNode(node);
}

const send = (requestId: string) =>
  call(caller, "gift.send", {
    ...{ userId: fan, giftId: 24, roomId: room, receiverId: anchor, type: 0, count: 1, requestId },
  });

/** Also of what was settled and is not acked: its event may come after its record. */
const queueIsEmpty = async () => {
  const { waiting, inFlight } = await call(caller, "gift.queueDepth", {});
  return waiting + inFlight === 0;
};

async function sendSettled(requestId: string): Promise<void> {
  const { orderId } = await send(requestId);
  requests.set(requestId, orderId);
  await eventually(
    `gift ${orderId} is settled`,
    async () => (await call(caller, "gift.order", { userId: fan, orderId })).status === "succeeded",
  );
}

const columns = "order_id, user_id, status, income_points";
const story = async () => ({
  records: await rows(
    "gift",
    `SELECT ${columns}, id FROM t_gift_record UNION ALL SELECT ${columns}, id FROM t_gift_record_archive ORDER BY id`,
  ),
  trades: await rows(
    "wallet",
    `SELECT biz_id, num, balance_after FROM t_qiyu_currency_trade
     UNION ALL SELECT biz_id, num, balance_after FROM t_qiyu_currency_trade_archive ORDER BY biz_id`,
  ),
  account: await rows("wallet", "SELECT current_balance, total_charged FROM t_qiyu_currency_account"),
});

const archive = async () => ({
  wallet: await rows("wallet", "SELECT * FROM t_archive_segment"),
  sums: await rows("wallet", "SELECT * FROM t_trade_archive_sum"),
  filters: await rows("wallet", "SELECT * FROM t_archive_filter"),
  revision: await rows("wallet", "SELECT * FROM t_archive_revision"),
  gift: await rows("gift", "SELECT * FROM t_archive_segment"),
  partitions: await rows(
    "wallet",
    `SELECT table_name, partition_name, partition_description FROM information_schema.partitions
     WHERE table_schema IN ('${databaseName("wallet")}', '${databaseName("gift")}') AND partition_name IS NOT NULL ORDER BY 1, 2`,
  ),
});

async function move(did: "emptying" | "nothing"): Promise<void> {
  for (const table of [archivedTrades, archivedRecords]) {
    const mover = new TestMover(table, { segmentRows: 100, sliceRows: 4 });
    await mover.until(did);
    await mover.close();
  }
}

const restoring = (over: Partial<RestoreOptions> = {}) =>
  restore({
    ...{ folder: join(folder, "backup"), mysqlUrl: config().MYSQL_URL, nats, until: null, keepStreams: true },
    ...{ keepDatabases: false, keys: keyNames(process.env), reportFolder: join(folder, "report"), progress: () => {} },
    ...over,
  });

const forget = () => admin.query(`DROP DATABASE IF EXISTS \`${config().NAMESPACE}_restore\``);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "restore-"));
  admin = await createConnection({ uri: config().MYSQL_URL });
  nats = await connect(natsOptions("test"));
  await Promise.all(databaseServices.map((service) => migrate(databaseName(service), migrationFolders[service])));
  await startNode("neighbours", [liveRooms((id) => (id === room ? anchor : undefined)), router]);
  caller = await startNode("caller", []);
  await startNodes();
  await recharge(caller, "order-1", fan, 300);
});
afterAll(async () => {
  await nats.close();
  await stopAll();
  await admin.end();
  rmSync(folder, { recursive: true, force: true });
});

test("a backup between two slices is restored with its partitions, segments, filters and sums; what was settled later is replayed, and the moving goes on", async () => {
  for (let n = 0; n < 10; n++) await sendSettled(randomUUID());
  await move("emptying");
  const during = await archive();
  await takeBackup({
    ...{ folder: join(folder, "backup"), mysqlUrl: config().MYSQL_URL, connection: nats },
    ...{ keys: keyNames(process.env), progress: () => {} },
  });
  for (let n = 0; n < 3; n++) await sendSettled(randomUUID());
  await eventually("nothing is under way", queueIsEmpty);
  const whole = await story();
  await stopNodes();
  for (const service of databaseServices) await admin.query(`DROP DATABASE \`${databaseName(service)}\``);
  await restoring();
  expect(await archive()).toEqual(during);
  expect(await story()).toEqual(whole);
  await expectBooksBalanced();
});

test("all events are replayed into databases whose gifts are archived by now: none is doubled, and a repeat is answered as before", async () => {
  await startNodes();
  await sendSettled(randomUUID());
  await move("nothing");
  await stopNodes();
  const before = await story();
  const [hot] = await rows<{ n: string }>("gift", "SELECT COUNT(*) AS n FROM t_gift_record");
  expect(Number(hot?.n)).toBeLessThan(3);
  await forget();
  const { report } = await restoring({ keepDatabases: true });
  expect(await story()).toEqual(before);
  expect(report?.written).toMatchObject({ "gift records": 0 });
  expect(report?.written["charges of gifts"]).toBeUndefined();
  await expectBooksBalanced();
  await startNodes();
  for (const [requestId, orderId] of requests)
    expect([requestId, (await send(requestId)).orderId]).toEqual([requestId, orderId]);
  expect(await story()).toEqual(before);
});

/** Tries to make a partition, in a process of its own; its answer is the error's number. */
function makePartition(): string {
  const sql = `ALTER TABLE t_qiyu_currency_trade_archive REORGANIZE PARTITION p_rest INTO (
    PARTITION p_x VALUES LESS THAN (1000000000), PARTITION p_rest VALUES LESS THAN MAXVALUE)`;
  const script = `
    import { createConnection } from "mysql2/promise";
    const db = await createConnection({ uri: ${JSON.stringify(config().MYSQL_URL)},
      database: ${JSON.stringify(databaseName("wallet"))} });
    await db.query("SET SESSION lock_wait_timeout = 1");
    console.log(await db.query(${JSON.stringify(sql)}).then(() => "made", (error) => error.errno));
    await db.end();`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: projectRoot() })
    .toString()
    .trim();
}

test("a dump ends although somebody wants to make a partition before it has read the archive: he has to wait", async () => {
  let answer: string | undefined;
  // With the first row of all: the archive is read later.
  const progress = () => {
    answer ??= makePartition();
  };
  const databases = [databaseName("wallet")];
  const snapshot = await Snapshot.open(config().MYSQL_URL, databases);
  const dumped = await snapshot.dump({ folder, prefix: "", progress });
  await snapshot.close();
  expect([answer, dumped[0]?.rows.t_qiyu_currency_trade_archive]).toEqual(["1205", expect.any(Number)]);
});
