import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { Snapshot } from "../../../scripts/backup/dump.ts";
import { keyNames } from "../../../scripts/backup/key-names.ts";
import { takeBackup } from "../../../scripts/backup/take-backup.ts";
import { databaseServices } from "../../../scripts/databases.ts";
import { orderOf } from "../../../scripts/restore/replay-payments.ts";
import { type RestoreOptions, restore } from "../../../scripts/restore/run-restore.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { Order } from "../../../services/payment/order.ts";
import { orderMacs } from "../../../services/payment/order-macs.ts";
import { insertOrder } from "../../../services/payment/payment-store.ts";
import { payKeys } from "../../../services/signing-keys.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { idBase } from "../../../services/wallet-servers.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { publish, rechargeMessage } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { walletOn } from "../wallet/traffic.ts";

/** A backup of ledgers on two servers, and their restore. */

jest.setTimeout(180_000);

const room = 5;
const [atHome, onB, later] = [1, 2, 3];
let both: SecondServer;
let folder: string;
let admins: Readonly<Record<"home" | "b", Connection>>;
let nats: NatsConnection;
let caller: ServiceBroker;
let nodes: ServiceBroker[] = [];
let anchor: string;
/** Of a bucket at home, of one on b, and of one that moves to b after the backup. */
let fans: readonly [string, string, string];
const backup = () => join(folder, "backup");

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

async function dropDatabases(): Promise<void> {
  const names = [...databaseServices.map((service) => databaseName(service)), `${config().NAMESPACE}_restore`];
  for (const admin of Object.values(admins))
    for (const name of names) await admin.query(`DROP DATABASE IF EXISTS \`${name}\``);
}

async function move(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
}

async function moved(bucket: number, server: string): Promise<void> {
  await move(bucket, server);
  await eventually(`bucket ${bucket} at ${server}`, async () =>
    (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done"),
  );
}

const statusOf = async (userId: string, orderId: string) =>
  (await call(caller, "gift.order", { userId, orderId })).status;

/** Also of what was settled and is not acked: its event may come after its record. */
const queueIsEmpty = async () => {
  const { waiting, inFlight } = await call(caller, "gift.queueDepth", {});
  return waiting + inFlight === 0;
};

async function sendSettled(userId: string): Promise<string> {
  const { orderId } = await call(caller, "gift.send", {
    ...{ userId, giftId: 24, roomId: room, receiverId: anchor, type: 0, count: 1 },
  });
  await eventually(`gift ${orderId} is settled`, async () => (await statusOf(userId, orderId)) === "succeeded");
  return orderId;
}

/** A paid order of 300 coins, with its row, as payment says it to the wallet. */
async function buy(userId: string): Promise<void> {
  const orderId = randomUUID();
  const terms = { productId: 6, source: 1, payChannel: 1, transactionId: `t-${orderId}` };
  const paid = { ...rechargeMessage(orderId, userId, 300), ...terms };
  const order = orderOf(paid, orderMacs(payKeys(), config().NAMESPACE)) as Order;
  const payment = new Database(databaseName("payment"), { connections: 1 });
  await insertOrder(payment, { ...order, state: "waiting" });
  await payment.run(
    "UPDATE t_pay_order SET status = 2, pay_time = ?, transaction_id = ?, paid_mac = ? WHERE order_id = ?",
    [order.payTime, order.transactionId, order.paidMac, orderId],
  );
  await payment.close();
  const before = (await call(caller, "wallet.balance", { userId })).totalCharged;
  await publish("pay.recharge", paid, `pay.recharge:${orderId}`);
  await eventually(`${userId} has her coins`, async () => {
    return (await call(caller, "wallet.balance", { userId })).totalCharged === before + 300;
  });
}

interface Told {
  readonly gifts: string[];
  readonly charges: string[];
  readonly accounts: Map<string, string>;
}

/** What clients were answered, of both servers together, and where each record is. */
async function story(): Promise<Told & { places: Map<string, string> }> {
  const told = { gifts: [] as string[], charges: [] as string[], accounts: new Map<string, string>() };
  const places = new Map<string, string>();
  const sums = new Map<string, bigint>();
  for (const [name, url] of Object.entries(both.urls)) {
    const records = await rowsAt<{ order_id: string; status: number; id: string }>(
      ...([url, "gift", "SELECT id, order_id, status FROM t_gift_record"] as const),
    );
    for (const { order_id, status, id } of records) {
      told.gifts.push(`${order_id} ${status}`);
      places.set(order_id, `${name} ${id}`);
    }
    const charges = await rowsAt<{ biz_id: string; num: string; user_id: string }>(
      ...([url, "wallet", "SELECT biz_id, user_id, num FROM t_qiyu_currency_trade WHERE type IN (0, 1)"] as const),
    );
    for (const { biz_id, user_id, num } of charges) told.charges.push(`${biz_id} ${user_id} ${num}`);
    const accounts = await rowsAt<{ user_id: string; own: string }>(
      ...([
        url,
        "wallet",
        "SELECT user_id, CAST(current_balance AS SIGNED) - debt AS own FROM t_qiyu_currency_account",
      ] as const),
    );
    for (const { user_id, own } of accounts) sums.set(user_id, (sums.get(user_id) ?? 0n) + BigInt(own));
  }
  for (const [user, sum] of sums) told.accounts.set(user, String(sum));
  return { ...told, gifts: told.gifts.sort(), charges: told.charges.sort(), places };
}

const told = ({ gifts, charges, accounts }: Told) => ({ gifts, charges, accounts });

const restoring = (over: Partial<RestoreOptions> = {}) =>
  restore({
    ...{ folder: backup(), mysqlUrl: config().MYSQL_URL, nats, until: null, keepStreams: true, keepDatabases: false },
    ...{ unsigned: "refuse", keys: keyNames(process.env), reportFolder: join(folder, "report"), progress: () => {} },
    ...over,
  });

/** Runs `npm run NAME` to its end. */
function command(name: string, ...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((ended) => {
    const script = join(projectRoot(), `scripts/${name}.ts`);
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
      ended({ code: error ? Number(error.code) : 0, out: stdout + stderr });
    });
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "restore-servers-"));
  await Promise.all(databaseServices.map((service) => migrate(databaseName(service), migrationFolders[service])));
  both = await addSecondServer();
  const connected = Object.entries(both.urls).map(async ([name, uri]) => [name, await createConnection({ uri })]);
  admins = Object.fromEntries(await Promise.all(connected));
  nats = await connect(natsOptions("test"));
  [anchor] = usersOf(onB, 1) as [string];
  fans = [atHome, onB, later].map((bucket) => usersOf(bucket, 1)[0]) as unknown as typeof fans;
  await startNode("neighbours", [liveRooms((id) => (id === room ? anchor : undefined)), router]);
  caller = await startNode("caller", []);
  await startNodes();
  await moved(onB, "b");
});
afterAll(async () => {
  await nats?.close();
  await stopAll();
  await Promise.all(Object.values(admins ?? {}).map((admin) => admin.end()));
  await both?.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => jest.restoreAllMocks());

test("a backup waits while a bucket is on its way, and has the files of both servers with their positions", async () => {
  for (const fan of fans) {
    await buy(fan);
    await sendSettled(fan);
  }
  const [mover] = nodes as [ServiceBroker];
  const [reached, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  walletOn(mover).moveBreakpoint = async (step) => {
    if (step !== "left") return;
    reached.resolve();
    await free.promise;
  };
  await move(4, "b");
  await reached.promise;
  const lines: string[] = [];
  const progress = (line: string) => {
    lines.push(line);
    if (line.includes("waiting")) free.resolve();
  };
  let flying = true;
  const flight = fans.map(async (userId) => {
    for (let sent = 0; flying && sent < 100; sent++)
      await call(caller, "gift.send", { userId, giftId: 24, roomId: room, receiverId: anchor, type: 0, count: 1 });
  });
  const options = { folder: backup(), mysqlUrl: config().MYSQL_URL, connection: nats, keys: keyNames(process.env) };
  const manifest = await takeBackup({ ...options, progress });
  flying = false;
  await Promise.all(flight);
  walletOn(mover).moveBreakpoint = undefined;
  expect(lines).toContain("bucket 4 is on its way to b: waiting until it is there");
  expect(manifest).toMatchObject({ format: 2, further: [{ server: "b", number: 1 }] });
  expect(manifest.databases).toHaveLength(databaseServices.length);
  expect(manifest.further[0]?.databases.map(({ file }) => file)).toEqual(
    ["wallet", "gift"].map((service) => `b.${databaseName(service)}.sql.zst`),
  );
});

test("a bucket that arrives at a server between two snapshots, before its gate is opened, has all opened again", async () => {
  const bucket = 6;
  const [mover] = nodes as [ServiceBroker];
  await buy(usersOf(bucket, 1)[0] as string);
  const [arrived, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  walletOn(mover).moveBreakpoint = async (step) => {
    if (step !== "arrived") return;
    arrived.resolve();
    await free.promise;
  };
  const open = Snapshot.open.bind(Snapshot);
  const opened: string[] = [];
  jest.spyOn(Snapshot, "open").mockImplementation(async (url, databases) => {
    opened.push(url === config().MYSQL_URL ? "home" : "b");
    if (opened.length === 2) {
      await move(bucket, "b");
      await arrived.promise;
    }
    return open(url, databases);
  });
  const lines: string[] = [];
  const progress = (line: string) => {
    lines.push(line);
    if (line.includes("waiting")) free.resolve();
  };
  try {
    const options = { mysqlUrl: config().MYSQL_URL, connection: nats, keys: keyNames(process.env) };
    await takeBackup({ ...options, folder: join(folder, "between"), progress });
  } finally {
    free.resolve();
    walletOn(mover).moveBreakpoint = undefined;
  }
  expect(lines).toContainEqual(expect.stringMatching(/^move \d+ began after the home server's snapshot: waiting/));
  expect(opened.slice(0, 4)).toEqual(["home", "b", "home", "b"]);
  await eventually("the move is done", async () =>
    (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done"),
  );
});

test("a backup is refused where the setting lacks a server that the home server names", async () => {
  const setting = process.env.WALLET_MYSQL_URLS as string;
  try {
    delete process.env.WALLET_MYSQL_URLS;
    const { code, out } = await command("backup", join(folder, "of-one"));
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/WALLET_MYSQL_URLS lacks b/) });
  } finally {
    process.env.WALLET_MYSQL_URLS = setting;
  }
});

let whole: Awaited<ReturnType<typeof story>>;

test("after it gifts are settled on both, a bucket moves, and all databases are lost", async () => {
  for (const fan of fans) await sendSettled(fan);
  await moved(later, "b");
  await buy(fans[2]);
  const afterMove = await sendSettled(fans[2]);
  for (const fan of fans) await sendSettled(fan);
  await eventually("nothing is under way", queueIsEmpty);
  whole = await story();
  expect(whole.places.get(afterMove)).toMatch(/^b /);
  await stopNodes();
  await dropDatabases();
});

test("a restore refuses other servers than those of the backup, and changes nothing", async () => {
  const setting = process.env.WALLET_MYSQL_URLS as string;
  try {
    for (const wrong of [undefined, setting.replace(",b=", ",c=")]) {
      if (wrong === undefined) delete process.env.WALLET_MYSQL_URLS;
      else process.env.WALLET_MYSQL_URLS = wrong;
      await expect(restoring()).rejects.toThrow(/beside the home server: b; WALLET_MYSQL_URLS names (none|c)/);
    }
  } finally {
    process.env.WALLET_MYSQL_URLS = setting;
  }
  for (const admin of Object.values(admins)) {
    const [rows] = await admin.query("SHOW DATABASES LIKE ?", [`${config().NAMESPACE}\\_%`]);
    expect(rows).toEqual([]);
  }
});

test("a restore brings back every gift on both, also where it is interrupted, and the books of both are equal", async () => {
  const interruptedAt = async (place: RegExp) => {
    const progress = (line: string) => {
      if (place.test(line)) throw new Error("interrupted");
    };
    await expect(restoring({ progress })).rejects.toThrow("interrupted");
  };
  await interruptedAt(/database .*_wallet at b/);
  await interruptedAt(/counters of ids/);
  const { report } = await restoring();
  const now = await story();
  expect(told(now)).toEqual(told(whole));
  expect(report).toMatchObject({ gap: null, lent: 0 });
  expect(report?.notes).toEqual([]);
  // By the restored map the moved bucket is at home: so are its charges and records, under ids of that server.
  for (const [order, place] of now.places) {
    const [name, id = "0"] = place.split(" ");
    expect(BigInt(id) > idBase(1)).toBe(name === "b");
    if (whole.places.get(order) !== place)
      expect([whole.places.get(order)?.split(" ")[0], name]).toEqual(["b", "home"]);
  }
  expect(await restoring()).toEqual({ report: null });
  await startNodes();
  await eventually("income is rolled up", async () => {
    const pending = await Promise.all(
      Object.values(both.urls).map((url) => rowsAt(url, "wallet", "SELECT id FROM t_anchor_income_pending LIMIT 1")),
    );
    return pending.flat().length === 0;
  });
  const { code, out } = await command("verify");
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("The books are equal.") });
});

test("the system goes on: buckets move, and ids of both servers go on in their own ranges", async () => {
  await moved(later, "b");
  for (const fan of fans) {
    const orderId = await sendSettled(fan);
    const [home, b] = await Promise.all(
      Object.values(both.urls).map((url) =>
        rowsAt<{ id: string }>(url, "gift", "SELECT id FROM t_gift_record WHERE order_id = ?", [orderId]),
      ),
    );
    const [isHome, id] = fan === fans[0] ? [true, BigInt(home?.[0]?.id ?? 0)] : [false, BigInt(b?.[0]?.id ?? 0)];
    const base = isHome ? 0n : idBase(1);
    expect(id - base).toBeGreaterThan(BigInt(limits.backup.idMargin));
    expect(id - base).toBeLessThan(BigInt(limits.backup.idMargin) * 3n);
  }
});

test("databases that other means brought back are refused where they are not of one time, and replayed where they are", async () => {
  await stopNodes();
  await admins.home.query(`DROP DATABASE \`${config().NAMESPACE}_restore\``);
  const gates = `${databaseName("wallet")}.t_wallet_gate`;
  await admins.b.query(`UPDATE ${gates} SET is_open = 0 WHERE bucket = ?`, [onB]);
  await expect(restoring({ keepDatabases: true })).rejects.toThrow(
    /the gates of bucket 2 are not as the map says, closed \(b 1\): these databases are not of one time/,
  );
  await admins.b.query(`UPDATE ${gates} SET is_open = 1 WHERE bucket = ?`, [onB]);
  for (const [ledger, table] of Object.entries({ coins: "t_qiyu_currency_trade", debt: "t_wallet_debt" })) {
    const [columns, values] = ledger === "coins" ? [", type, status, balance_after", ", 3, 1, 7"] : ["", ""];
    const id = `bucket-in:1000000:${anchor}`;
    await admins.b.query(
      `INSERT INTO ${databaseName("wallet")}.${table} (user_id, num, biz_id${columns}) VALUES (?, 7, ?${values})`,
      [anchor, id],
    );
    await expect(restoring({ keepDatabases: true })).rejects.toThrow(
      `b has ${id}, of a move that the home server does not know: these databases are not of one time`,
    );
    await admins.b.query(`DELETE FROM ${databaseName("wallet")}.${table} WHERE biz_id = ?`, [id]);
  }
  const before = await story();
  const { report } = await restoring({ keepDatabases: true });
  expect(report?.written["charges of gifts"] ?? 0).toBe(0);
  expect(report?.there["charges of gifts"]).toBeGreaterThan(0);
  expect(await story()).toEqual(before);
});
