import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { keyNames } from "../../../scripts/backup/key-names.ts";
import type { Manifest } from "../../../scripts/backup/manifest.ts";
import { takeBackup } from "../../../scripts/backup/take-backup.ts";
import { databaseServices } from "../../../scripts/databases.ts";
import { messagesFrom } from "../../../scripts/restore/events.ts";
import { orderOf } from "../../../scripts/restore/replay-payments.ts";
import { type RestoreOptions, restore } from "../../../scripts/restore/run-restore.ts";
import { call, type DurableEventName, type DurableEvents } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { Order } from "../../../services/payment/order.ts";
import { orderMacs } from "../../../services/payment/order-macs.ts";
import { insertOrder, ordersById } from "../../../services/payment/payment-store.ts";
import { payKeys } from "../../../services/signing-keys.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
const fans = ["9000000000000000101", "9000000000000000102", "9000000000000000103"];
const lateFan = "9000000000000000104";
/** Of her credit EVENTS does not tell. */
const unknownFan = "9000000000000000105";
const room = 5;

let folder: string;
let admin: Connection;
let nats: NatsConnection;
let caller: ServiceBroker;
let nodes: ServiceBroker[] = [];
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

/** As after the loss of the database's machine. */
async function dropDatabases(): Promise<void> {
  for (const name of [...databaseServices.map((service) => databaseName(service)), `${config().NAMESPACE}_restore`])
    await admin.query(`DROP DATABASE IF EXISTS \`${name}\``);
}

const send = (userId: string, requestId?: string) =>
  call(caller, "gift.send", {
    ...{ userId, giftId: 24, roomId: room, receiverId: anchor, type: 0, count: 1 },
    ...(requestId === undefined ? {} : { requestId }),
  });

const statusOf = async (userId: string, orderId: string) =>
  (await call(caller, "gift.order", { userId, orderId })).status;

/** Also of what was settled and is not acked: its event may come after its record. */
const queueIsEmpty = async () => {
  const { waiting, inFlight } = await call(caller, "gift.queueDepth", {});
  return waiting + inFlight === 0;
};

async function sendSettled(userId: string): Promise<string> {
  const { orderId } = await send(userId);
  await eventually(`gift ${orderId} is settled`, async () => (await statusOf(userId, orderId)) !== "accepted");
  return orderId;
}

async function publishEvent<N extends DurableEventName>(name: N, key: string, data: DurableEvents[N]): Promise<void> {
  const { subject, payload, msgId } = durableEvent(name, key, data);
  await publish(subject, payload, msgId);
}

/** What clients were answered, or would be: outcomes of gifts with their records' ids, balances, incomes. */
async function story() {
  const gifts = await rows(
    "gift",
    "SELECT id, order_id, user_id, status, reason, income_points FROM t_gift_record ORDER BY id",
  );
  const charges = await rows<{ biz_id: string }>(
    "wallet",
    `SELECT biz_id, user_id, num, status, counterparty_income_points AS points FROM t_qiyu_currency_trade
     WHERE type IN (0, 1) ORDER BY biz_id`,
  );
  const accounts = await rows(
    "wallet",
    "SELECT user_id, CAST(current_balance AS SIGNED) - debt AS own, total_charged, status FROM t_qiyu_currency_account ORDER BY user_id",
  );
  return { gifts, charges, accounts };
}

type Story = Awaited<ReturnType<typeof story>>;

/** Without the credit that no event tells of: she owes what she gave. */
const known = ({ gifts, charges, accounts }: Story) => ({
  gifts,
  charges: charges.filter(({ biz_id }) => biz_id !== `order-${unknownFan}`),
  accounts: (accounts as { user_id: string }[]).map((account) =>
    account.user_id === unknownFan ? { ...account, own: "-1", total_charged: "0" } : account,
  ),
});

const ordersOf = (told: Story) => (told.gifts as { order_id: string }[]).map(({ order_id }) => order_id);

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

const macs = () => orderMacs(payKeys(), config().NAMESPACE);

/** A paid order of 300 coins, as payment says it to the wallet; with its row where payment still has it. */
async function buy(userId: string, orderId: string, kept: boolean): Promise<void> {
  const terms = { productId: 6, source: 1, payChannel: 1, transactionId: `t-${orderId}` };
  const paid = { ...rechargeMessage(orderId, userId, 300), ...terms };
  if (kept) {
    const order = orderOf(paid, macs()) as Order;
    const payment = new Database(databaseName("payment"), { connections: 1 });
    await insertOrder(payment, { ...order, state: "waiting" });
    await payment.run(
      "UPDATE t_pay_order SET status = 2, pay_time = ?, transaction_id = ?, paid_mac = ? WHERE order_id = ?",
      [...[order.payTime, order.transactionId, order.paidMac, orderId]],
    );
    await payment.close();
  }
  await publish("pay.recharge", paid, `pay.recharge:${orderId}`);
  const charged = async () => (await call(caller, "wallet.balance", { userId })).totalCharged;
  await eventually(`${userId} has her coins`, async () => (await charged()) === 300);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "restore-"));
  admin = await createConnection({ uri: config().MYSQL_URL });
  nats = await connect(natsOptions("test"));
  await Promise.all(databaseServices.map((service) => migrate(databaseName(service), migrationFolders[service])));
  await startNode("neighbours", [liveRooms((id) => (id === room ? anchor : undefined)), router]);
  caller = await startNode("caller", []);
  await startNodes();
});
afterAll(async () => {
  await nats.close();
  await stopAll();
  await admin.end();
  rmSync(folder, { recursive: true, force: true });
});

/** The gifts that were answered before the backup began. */
const early: string[] = [];
let manifest: Manifest;
let whole: Story;
let middle: Date;
const beforeMiddle: string[] = [];
const queued = randomUUID();
const lateOrder = randomUUID();

describe("a backup", () => {
  test("is taken while gifts fly, by a command, into files that only their owner can read", async () => {
    for (const fan of fans) await buy(fan, randomUUID(), true);
    for (const fan of fans) early.push(await sendSettled(fan));
    let flying = true;
    const flight = fans.map(async (fan) => {
      for (let sent = 0; flying && sent < 250; sent++) await send(fan);
    });
    const { code, out } = await command("backup", backup());
    flying = false;
    await Promise.all(flight);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/is a backup of .*: 13 databases/) });
    manifest = JSON.parse(readFileSync(join(backup(), "manifest.json"), "utf8")) as Manifest;
    expect(manifest.keys.BOOK_KEYS).toEqual({ tests: expect.stringMatching(/^[0-9a-f]{16}$/) });
    for (const { file } of [...manifest.databases, ...manifest.streams])
      expect(statSync(join(backup(), file)).mode & 0o777).toBe(0o600);
  });

  test("is not written over another one", async () => {
    const again = { folder: backup(), mysqlUrl: config().MYSQL_URL, connection: nats, keys: {}, progress: () => {} };
    await expect(takeBackup(again)).rejects.toThrow(/not empty/);
  });
});

describe("after the backup", () => {
  test("gifts, payments and more happen, and the database's machine is lost", async () => {
    for (const fan of fans) beforeMiddle.push(await sendSettled(fan));
    // Bought and spent after the backup.
    await buy(lateFan, lateOrder, false);
    for (let n = 0; n < 2; n++) beforeMiddle.push(await sendSettled(lateFan));
    const now = () => new Date().toISOString();
    const newcomer = "9000000000000000200";
    await publishEvent("user.registered", newcomer, { userId: newcomer, externalId: "ext-1", time: now() });
    await publishEvent("user.registered", "9000000000000000201", { userId: "9000000000000000201", time: now() });
    const live = { roomId: 900, anchorId: newcomer, type: 1, roomName: "r", externalRoomId: "room-1" };
    await publishEvent("room.opened", "900", { ...live, time: now() });
    const over = { roomId: 901, anchorId: lateFan, externalRoomId: "room-2" };
    await publishEvent("room.opened", "901", { ...over, type: 1, roomName: "r", time: now() });
    await publishEvent("room.closed", "901", { ...over, time: now() });
    const ban = { restrictionId: "41", userId: fans[0] as string, kind: "ban", roomId: null };
    await publishEvent("user.restricted", "41", { ...ban, until: null, reason: "r", by: "staff:a", time: now() });
    // Of one of these orders stream PAY has the message.
    for (const orderId of [lateOrder, randomUUID()]) {
      const paid = { orderId, userId: lateFan, productId: 6, amount: 3_000, coins: 300, bizCode: 10001, time: now() };
      await publishEvent("payment.paid", orderId, paid);
    }

    // Odd ones, as nobody but a forger publishes them: their schemas are wider than the columns.
    const forged = {
      ...{
        orderId: "forged",
        status: "succeeded" as const,
        senderId: lateFan,
        receiverId: anchor,
        roomId: room,
        giftId: 24,
      },
      ...{ count: 1, price: 1, income: 0, incomePoints: 50, type: 0, url: "", time: now() },
    };
    for (const odd of [{ count: 5_000_000_000 }, { time: "yesterday" }, { recordId: String(2n ** 64n - 1n) }])
      await publishEvent("gift.settled", randomUUID(), { gifts: [{ ...forged, ...odd }] });
    // Nothing is odd about this one, but that the gift service has not signed it.
    await publishEvent("gift.settled", randomUUID(), { gifts: [forged] });
    await publishEvent("room.opened", "odd", { ...live, roomId: Number.MAX_SAFE_INTEGER, time: now() });

    // A credit of which EVENTS does not tell, and a gift that was paid with its coins.
    await recharge(caller, `order-${unknownFan}`, unknownFan, 1);
    beforeMiddle.push(await sendSettled(unknownFan));
    await eventually("the credit's event is there", () => removeEvent(`wallet.credited:order-${unknownFan}`));

    await eventually("nothing is under way", queueIsEmpty);
    middle = new Date();
    const late = await sendSettled(fans[0] as string);
    await eventually("nothing is under way", queueIsEmpty);
    await expectBooksBalanced();
    whole = await story();
    expect(ordersOf(whole)).toEqual(expect.arrayContaining([...early, ...beforeMiddle, late]));
    await stopNodes();
    await queueGift();
    await dropDatabases();
  });
});

/** Whether an event was there; then it is there no more, as after its time in EVENTS. */
async function removeEvent(id: string): Promise<boolean> {
  const manager = await nats.jetstreamManager();
  const stream = `${natsPrefix()}EVENTS`;
  const { state } = await manager.streams.info(stream);
  for (let seq = state.last_seq; seq >= state.first_seq; seq--) {
    const message = await manager.streams.getMessage(stream, { seq }).catch(() => undefined);
    if (message?.header.get("Nats-Msg-Id") !== id) continue;
    return manager.streams.deleteMessage(stream, seq);
  }
  return false;
}

/** A gift that is accepted, and that no node has settled. */
async function queueGift(): Promise<void> {
  const request = { giftId: 24, roomId: room, receiverId: anchor, type: 0, count: 1 };
  const senderId = fans[1] as string;
  const accepted = { ...request, orderId: queued, senderId, price: 1, sharePercent: 50, url: "" };
  await publish(`gift.send.${partitionOf(senderId)}`, {
    ...{ ...accepted, acceptedAt: new Date().toISOString(), contentHash: contentHashOf(request) },
  });
}

describe("a restore", () => {
  test("refuses what is no whole backup of this system, and changes nothing", async () => {
    const damaged = join(folder, "damaged");
    cpSync(backup(), damaged, { recursive: true });
    const { file } = manifest.databases[0] as Manifest["databases"][number];
    const content = readFileSync(join(damaged, file));
    content[content.length - 10] = (content[content.length - 10] as number) ^ 1;
    writeFileSync(join(damaged, file), content);
    await expect(restoring({ folder: damaged })).rejects.toThrow(`${file} is damaged`);
    rmSync(join(damaged, "manifest.json"));
    await expect(restoring({ folder: damaged })).rejects.toThrow(/did not come to its end/);
    const keys = { ...keyNames(process.env), BOOK_KEYS: {} };
    await expect(restoring({ keys })).rejects.toThrow(/lacks keys that the system had: BOOK_KEYS: tests/);
    const { PAY_KEYS } = process.env;
    delete process.env.PAY_KEYS;
    await expect(restoring({ keys: null })).rejects.toThrow(/PAY_KEYS/);
    process.env.PAY_KEYS = PAY_KEYS;
    const [databases] = await admin.query("SELECT 1 FROM information_schema.schemata WHERE schema_name LIKE ?", [
      `${config().NAMESPACE}\\_%`,
    ]);
    expect(databases).toEqual([]);
  });

  test("refuses streams that are there, unless they are to be kept", async () => {
    await expect(restoring({ keepStreams: false })).rejects.toThrow(/there are streams: .*GIFTS-0.*--streams keep/);
  });

  test("brings back everything that clients were answered, also where it is interrupted at any place", async () => {
    const interruptedAt = async (place: RegExp) => {
      const progress = (line: string) => {
        if (place.test(line)) throw new Error("interrupted");
      };
      await expect(restoring({ progress })).rejects.toThrow("interrupted");
    };
    await interruptedAt(/database .*_gift/);
    // It stops before it replays an event that orders money and is not signed, until somebody has decided.
    const undecided = restoring({ unsigned: undefined });
    await expect(undecided).rejects.toThrow(
      /^1 events that charge or credit somebody are not signed\. .*gift\.settled/,
    );
    for (const place of [/counters of ids/, /readers of streams/]) await interruptedAt(place);
    const { report } = await restoring();
    expect(await story()).toEqual(known(whole));
    await expectBooksBalanced();
    expect(report).toMatchObject({ gap: null, lent: 1 });
    const others = report?.notes.filter(({ kind }) => kind !== "unreadable") ?? [];
    expect(others.map(({ kind }) => kind).sort()).toEqual(["payment", "userWithoutPhone"]);
    const refused = report?.notes.filter(({ kind }) => kind === "unreadable") ?? [];
    expect(refused.map(({ subject }) => subject)).toEqual(Array(5).fill(expect.stringMatching(/^event \d+$/)));
    expect(refused.map(({ detail }) => detail)).toEqual([
      expect.stringContaining("event.gift.settled: gifts.0.count: "),
      expect.stringContaining("event.gift.settled: gifts.0.time: "),
      expect.stringContaining("event.gift.settled: gifts.0.recordId: "),
      expect.stringContaining("event.gift.settled: it is not signed: "),
      expect.stringContaining("event.room.opened: roomId: "),
    ]);
    expect(readFileSync(join(folder, "report/report.txt"), "utf8")).toMatch(/BEYOND RECOVERY/);

    const payment = new Database(databaseName("payment"), { connections: 1 });
    const [order] = (await ordersById(payment, [lateOrder])) as [Order];
    await payment.close();
    expect(order).toMatchObject({ state: "paid", userId: lateFan, coins: 300, transactionId: `t-${lateOrder}` });
    expect([macs().termsFault(order), macs().paymentFault(order)]).toEqual([undefined, undefined]);
    expect(await rows("user", "SELECT user_id, external_id FROM t_user_external")).toEqual([
      { user_id: "9000000000000000200", external_id: Buffer.from("ext-1") },
    ]);
    expect(await rows("user", "SELECT user_id FROM t_user ORDER BY user_id")).toHaveLength(2);
    expect(await rows("user", "SELECT id, user_id, kind, room_id FROM t_restriction")).toEqual([
      { id: "41", user_id: fans[0], kind: 2, room_id: "0" },
    ]);
    expect(await rows("living-room", "SELECT id FROM t_living_room")).toEqual([{ id: "900" }]);
    expect(await rows("living-room", "SELECT id FROM t_living_room_record")).toEqual([{ id: "901" }]);
  });

  test("changes nothing more when it is run again, says what is gone since, and refuses tables that are another's", async () => {
    expect(await restoring()).toEqual({ report: null });
    expect(await story()).toEqual(known(whole));
    await admin.query(`DROP DATABASE \`${databaseName("notification")}\``);
    await expect(restoring()).rejects.toThrow(
      /since then these are gone: database \S*_notification\. To restore it again/,
    );
    await admin.query(`DROP DATABASE \`${config().NAMESPACE}_restore\``);
    await expect(restoring()).rejects.toThrow(/there are tables in .*_wallet/);
  });

  test("the system goes on: what waited in the queue is settled, owed coins are paid off, no id comes again", async () => {
    const [last] = await rows<{ id: string }>("gift", "SELECT MAX(id) AS id FROM t_gift_record");
    await startNodes();
    const settled = "SELECT id FROM t_gift_record WHERE order_id = ? AND status = 1";
    await eventually("the queued gift", async () => (await rows("gift", settled, [queued])).length === 1);
    await eventually("the debt is paid off by the order in stream PAY", async () => {
      const { debt, balance } = await call(caller, "wallet.balance", { userId: unknownFan });
      return debt === 0 && balance === 0;
    });
    const orderId = await sendSettled(fans[2] as string);
    const [record] = await rows<{ id: string }>("gift", "SELECT id FROM t_gift_record WHERE order_id = ?", [orderId]);
    expect(BigInt(record?.id ?? 0) - BigInt(last?.id ?? 0)).toBeGreaterThan(BigInt(limits.backup.idMargin) - 100_000n);
    for (const [at, order] of early.entries()) expect(await statusOf(fans[at] as string, order)).toBe("succeeded");
    await expectBooksBalanced();
  });

  test("until a time: what was settled from then on is neither in the books nor in EVENTS, and in a file", async () => {
    await stopNodes();
    await dropDatabases();
    const { report } = await restoring({ until: middle });
    expect(report?.until).toBe(middle.toISOString());
    const told = await story();
    const late = ordersOf(whole).filter((order) => !ordersOf(told).includes(order));
    expect(late).toHaveLength(1);
    expect(ordersOf(told)).toEqual(expect.arrayContaining([...early, ...beforeMiddle]));
    await expectBooksBalanced();
    const removed = readFileSync(join(folder, "report/removed-events.jsonl"), "utf8");
    const lines = removed
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { subject: string; text: string });
    const settled = lines.filter(({ subject }) => subject.endsWith("gift.settled"));
    expect(settled.flatMap(({ text }) => JSON.parse(text).data.gifts as { orderId: string }[])).toContainEqual(
      expect.objectContaining({ orderId: late[0] }),
    );
    for await (const { storedAt } of messagesFrom(nats, `${natsPrefix()}EVENTS`, 1))
      expect(storedAt.getTime()).toBeLessThan(middle.getTime());
  });

  test("where the streams are lost too it goes back to the backup: every gift that was answered before it is there", async () => {
    await dropDatabases();
    const manager = await nats.jetstreamManager();
    for (const { stream } of manifest.streams) await manager.streams.delete(stream);
    const { code, out } = await command("restore", backup(), "--report", join(folder, "report"));
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("The books are equal.") });
    const events = manifest.streams.find(({ stream }) => stream === `${natsPrefix()}EVENTS`);
    const now = await manager.streams.info(`${natsPrefix()}EVENTS`);
    expect(now.state.last_seq).toBeGreaterThanOrEqual(events?.state.last_seq as number);
    expect(now.config.max_bytes).toBe(events?.config.max_bytes);
    // What viewers have seen by the time of the backup is not shown again.
    const shown = events?.consumers.find(({ name }) => name.startsWith("gift-effects"));
    const [position] = await rows<{ sequence: string }>(
      "gift",
      "SELECT sequence FROM t_stream_position WHERE reader = 'gift-effects'",
    );
    expect(shown?.ackFloor).toBeGreaterThan(0);
    expect(Number(position?.sequence)).toBeGreaterThanOrEqual(shown?.ackFloor as number);
    await startNodes();
    for (const [at, orderId] of early.entries()) expect(await statusOf(fans[at] as string, orderId)).toBe("succeeded");
    await eventually("the backup's queue is settled", queueIsEmpty);
    await sendSettled(fans[2] as string);
    await expectBooksBalanced();
    expect(existsSync(join(folder, "report/report.json"))).toBe(true);
  });
});
