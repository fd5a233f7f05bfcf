import { execFile } from "node:child_process";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { call } from "../../../services/contracts.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { addSecondServer, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { giftOf, settle } from "../wallet/traffic.ts";
import {
  findings,
  found,
  insertOrder,
  openDatabases,
  passesDone,
  record,
  startAuditor,
  startWallet,
} from "./bookkeeping.ts";

jest.setTimeout(120_000);

let both: SecondServer;
let caller: ServiceBroker;
/** What a person with the logins of others can do, on each server. */
let atHome: Connection;
let atB: Connection;

beforeAll(async () => {
  atHome = await openDatabases();
  both = await addSecondServer();
  atB = await createConnection({
    ...{ uri: both.urls.b, database: databaseName("wallet"), supportBigNumbers: true, bigNumberStrings: true },
    timezone: "Z",
  });
  const wallet = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", wallet.nodeID);
  await startAuditor("auditor-1");
});
afterAll(async () => {
  await Promise.all([atHome?.end(), atB?.end()]);
  await closeAudits();
  await stopAll();
  await both?.close();
});

async function move(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
  await eventually(`bucket ${bucket} at ${server}`, async () => {
    return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
  });
}

async function funded(bucket: number, coins: number): Promise<string> {
  const [user] = usersOf(bucket, 1) as [string];
  await insertOrder(atHome, `order-${user}`, user, coins);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

/** Charges a gift and writes its record where its charge is. */
async function give(from: string, receiverId: string, price: number): Promise<void> {
  const gift = giftOf(from, { receiverId, price });
  const [outcome] = await settle(caller, [gift]);
  await record(outcome?.server === "b" ? atB : atHome, [gift]);
}

function verify(): Promise<{ code: number; out: string }> {
  const script = join(projectRoot(), "scripts/verify.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
    });
  });
}

test("books on two servers raise no alarm: credits, gifts, refunds, payouts, and buckets that move", async () => {
  await move(3, "b");
  const [first, second, third] = [await funded(2, 400), await funded(3, 400), await funded(4, 400)];
  const [anchor] = usersOf(3, 1) as [string];
  for (const user of [first, second, third]) await give(user, anchor, 100);
  await eventually("income", async () => (await call(caller, "wallet.income", { userId: anchor })).earned === 150);
  const payout = { userId: anchor, points: 14_000, payoutId: "p-1", operator: "tests" };
  expect(await call(caller, "wallet.payout", payout)).toMatchObject({ points: 14_000 });
  await move(4, "b");
  await move(3, "home");
  await give(third, anchor, 50);
  const payment = databaseName("payment");
  const orderId = `order-${third}`;
  await atHome.query(
    `UPDATE ${payment}.t_pay_order SET status = 5, update_time = UTC_TIMESTAMP(3) WHERE order_id = ?`,
    [orderId],
  );
  await atHome.query(
    `INSERT INTO ${payment}.t_pay_refund (order_id, pay_channel, transaction_id, amount, reason, origin, state, create_time,
       update_time) VALUES (?, 3, ?, 4000, 'by mistake', 'operator', 'done', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [orderId, `tx-${orderId}`],
  );
  await publish("pay.refund", {
    ...{ orderId, userId: third, coins: 400, amount: 4_000, reason: "by mistake", time: new Date().toISOString() },
  });
  await eventually("the refund", async () => (await call(caller, "wallet.balance", { userId: third })).debt === 150);
  await move(4, "home");
  await passesDone(2);
  expect(await findings()).toEqual([]);
  expect(await verify()).toMatchObject({ code: 0 });
});

test("what somebody does by SQL on the further server is named with the server", async () => {
  await move(5, "b");
  const user = await funded(5, 70);
  await give(user, "77", 10);
  await atB.query("UPDATE t_qiyu_currency_account SET current_balance = 1000 WHERE user_id = ?", [user]);
  await found("balanceDiffers", `account ${user} at b`);
  await atB.query("UPDATE t_qiyu_currency_account SET current_balance = 60 WHERE user_id = ?", [user]);
  const bizId = `order-${user}`;
  await atHome.query(`UPDATE ${databaseName("payment")}.t_pay_order SET coins = 69 WHERE order_id = ?`, [bizId]);
  await found("creditWithoutOrder", `order ${bizId} at b`);
  await atHome.query(`UPDATE ${databaseName("payment")}.t_pay_order SET coins = 70 WHERE order_id = ?`, [bizId]);
  const [[row]] = (await atB.query("SELECT id, biz_id FROM t_qiyu_currency_trade WHERE biz_id = ?", [
    bizId,
  ])) as unknown as [{ id: string }[]];
  await atB.query("UPDATE t_qiyu_currency_trade SET num = 71 WHERE id = ?", [row?.id]);
  await found("rowChanged", `t_qiyu_currency_trade ${row?.id} at b`);
});

test("coins that left a server and did not arrive are named", async () => {
  const user = await funded(6, 30);
  await move(6, "b");
  await atB.query("DELETE FROM t_qiyu_currency_trade WHERE biz_id LIKE ?", [`bucket-in:%:${user}`]);
  const out = await eventually("the pair differs", async () =>
    (await findings()).find(({ kind, subject }) => kind === "moveOfBucketDiffers" && subject.endsWith(`:${user}`)),
  );
  expect(out.subject).toMatch(/^bucket-out:/);
});

test("a row that only says it is of a move is named, and an auditor that lacks a server does not start", async () => {
  const user = await funded(7, 30);
  const bizId = `bucket-in:999:${user}`;
  await atHome.query(
    `INSERT INTO ${databaseName("wallet")}.t_qiyu_currency_trade (user_id, num, type, status, biz_id,
       counterparty_income_points, balance_after, create_time) VALUES (?, 500, 3, 1, ?, 0, 530, UTC_TIMESTAMP(3))`,
    [user, bizId],
  );
  await found("moveOfBucketDiffers", bizId);
  const setting = process.env.WALLET_MYSQL_URLS;
  delete process.env.WALLET_MYSQL_URLS;
  await expect(startAuditor("auditor-without-servers")).rejects.toThrow(/WALLET_MYSQL_URLS lacks b/);
  process.env.WALLET_MYSQL_URLS = setting;
});
