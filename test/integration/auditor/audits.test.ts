import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { config, databaseName, readConfigAgain, serviceUrlName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { addAuditRow } from "../../../mixins/operator-audit.mixin.ts";
import { SealChains } from "../../../mixins/seals/seal-chains.ts";
import { prepareDatabases } from "../../../scripts/databases.ts";
import auditor from "../../../services/auditor/auditor.service.ts";
import { bookKeys } from "../../../services/book-keys.ts";
import { type SealingService, sealedLedgers } from "../../../services/book-seals.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import payment from "../../../services/payment/payment.service.ts";
import platform from "../../../services/platform/platform.service.ts";
import staff from "../../../services/staff/staff.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { audited, closeAudits } from "../../support/sealed-audits.ts";
import { asOperator } from "../../support/staff.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { cashierWebhook, makeOrder, sendWebhook } from "../payment/payment-node.ts";
import { fastAudit, findings, found, newUser, passesDone } from "./bookkeeping.ts";

/** The audits of operators' calls and of webhooks, and what follows of them, attacked with the services' own logins. */

jest.setTimeout(120_000);

const services: readonly SealingService[] = ["wallet", "gift", "payment", "auditor", "platform", "staff"];
let stackDir: string;
let caller: ServiceBroker;
let auditorNode: ServiceBroker;
/** By service, with the rights of its own login alone. */
const logins = new Map<SealingService, Connection>();
let administrator: Connection;

beforeAll(async () => {
  stackDir = mkdtempSync(join(tmpdir(), "ovation-audits-"));
  const adminUrl = process.env.MYSQL_URL as string;
  const urls = await prepareDatabases({ adminUrl, namespace: config().NAMESPACE, stackDir });
  Object.assign(process.env, urls);
  readConfigAgain();
  const often = (schema: ServiceSchema, settings: object = {}): ServiceSchema => ({
    ...schema,
    settings: { ...(schema.settings as object), checkpointEveryMs: 250, ...settings } as ServiceSchema["settings"],
  });
  await startNode(
    "books",
    [wallet, gift, payment, platform, staff].map((schema) => often(schema)),
  );
  auditorNode = await startNode("auditor", [often(auditor, fastAudit)]);
  caller = await startNode("caller", []);
  await caller.waitForServices([...services]);
  for (const service of services) {
    const uri = urls[serviceUrlName("MYSQL_URL", service)] as string;
    logins.set(service, await createConnection({ uri, database: databaseName(service) }));
  }
  administrator = await createConnection(adminUrl);
});
afterAll(async () => {
  await Promise.all([...logins.values(), administrator].map((connection) => connection?.end()));
  await closeAudits();
  await stopAll();
  rmSync(stackDir, { recursive: true, force: true });
});

const as = (service: SealingService, sql: string, values: unknown[] = []) => logins.get(service)!.query(sql, values);
const operator = "ada";
const kindsNow = async () => (await findings()).filter(({ gone_time }) => !gone_time).map(({ kind }) => kind);
const idOf = (result: unknown) => (result as [{ insertId: number }])[0].insertId;
const lastId = async (service: SealingService, table: string) =>
  (await rows<{ id: string }>(service, `SELECT MAX(id) AS id FROM ${table}`))[0]!.id;
const gone = (kind: string, subject: string) =>
  eventually(
    `${kind} ${subject} is gone`,
    async () => (await findings()).some((one) => one.kind === kind && one.subject === subject && one.gone_time),
    40_000,
  );

interface StaffCallIds {
  callId: string;
  outcomeId: string;
}

/** A call of the staff and its outcome, as the door has them written. */
async function staffCall(about: string, reason = "r"): Promise<StaffCallIds> {
  const { session } = asOperator();
  const route = "/live/admin/account/freeze";
  const given = { session, route, right: "freeze", params: { reason }, about, address: "10.0.0.1" } as const;
  const { callId } = await call(caller, "staff.begin", given);
  await call(caller, "staff.finish", { callId, outcome: "userUnknown" });
  const [outcome] = await rows<{ id: string }>("staff", "SELECT id FROM t_staff_audit WHERE call_id = ?", [callId]);
  return { callId, outcomeId: outcome!.id };
}

describe("a true system", () => {
  test("raises no alarm: operators' calls of each service, new and changed prices, orders, webhooks", async () => {
    const user = newUser();
    await expect(call(caller, "payment.findOrder", { orderId: "none", operator })).rejects.toThrow();
    const product = { productId: 11, name: "new", price: 700, coins: 70, operator };
    await call(caller, "payment.createProduct", product);
    await call(caller, "payment.createProduct", product);
    await expect(call(caller, "payment.createProduct", { ...product, coins: 7_000 })).rejects.toThrow();
    const buy = (productId: number) =>
      call(caller, "payment.pay", { userId: user, productId, paySource: 1, payChannel: 3 });
    await buy(11);
    await call(caller, "payment.updateProduct", { productId: 11, price: 710, operator });
    await buy(11);
    await call(caller, "payment.updateProduct", { productId: 11, coins: 71, status: 0, operator });
    const { orderId } = await makeOrder(caller, user);
    await sendWebhook(caller, cashierWebhook(orderId, { time: new Date().toISOString() }));
    await sendWebhook(caller, cashierWebhook(orderId), { body: '{"not":"genuine"}' });
    const present = { giftName: "new", coverImgUrl: "", svgaUrl: "", operator };
    await call(caller, "gift.create", { giftId: 500, price: 5, ...present });
    await call(caller, "gift.update", { giftId: 500, price: 6, operator });
    await call(caller, "gift.update", { giftId: 22, giftName: "renamed", operator });
    await call(caller, "gift.takeOffShelf", { giftId: 500, operator });
    await call(caller, "auditor.findings", { limit: 10, operator });
    const { keyId } = await call(caller, "platform.createKey", { name: "shop", scopes: ["users:read"], operator });
    await call(caller, "platform.revokeKey", { keyId, operator });
    await call(caller, "staff.addPerson", { name: "ada", role: "viewer", ...asOperator() });
    await staffCall("7", '"quoted" \\ 中文 😀');
    await eventually(
      "the credit",
      async () => (await call(caller, "wallet.balance", { userId: user })).balance === 300,
    );
    await call(caller, "wallet.freeze", { userId: user, reason: "中文 😀", operator });
    await call(caller, "wallet.unfreeze", { userId: user, reason: '"quoted" \\', operator });
    await passesDone(2);
    expect(await findings()).toEqual([]);
  });

  test("every row of an audit has a seal, and each service's seals are joined, published and kept by the auditor", async () => {
    for (const service of services) {
      const [sealed] = await rows<{ all_rows: string; sealed: string }>(
        service,
        `SELECT (SELECT COUNT(*) FROM t_operator_audit) AS all_rows, SUM(row_count) AS sealed FROM t_ledger_seal
         WHERE book = ?`,
        [sealedLedgers[`${service}Audit`].book],
      );
      expect([service, Number(sealed?.all_rows) > 0, sealed?.sealed]).toEqual([service, true, sealed?.all_rows]);
      await eventually(`a checkpoint of ${service}`, async () => {
        const kept = await rows("auditor", "SELECT 1 FROM t_book_checkpoint WHERE service = ?", [service]);
        return kept.length > 0;
      });
    }
    const [webhooks] = await rows<{ n: string }>(
      "payment",
      "SELECT SUM(row_count) AS n FROM t_ledger_seal WHERE book = 8",
    );
    const [all] = await rows<{ n: string }>("payment", "SELECT COUNT(*) AS n FROM t_pay_webhook");
    expect([webhooks?.n, Number(all?.n) >= 2]).toEqual([all?.n, true]);
  });
});

describe("is found and named:", () => {
  test.each(services)("a call that the login of %s puts into its audit", async (service) => {
    const id = idOf(
      await as(
        service,
        `INSERT INTO t_operator_audit (operator, action, params, outcome, create_time)
         VALUES ('operator:ada', ?, '{}', 'started', UTC_TIMESTAMP(3))`,
        [`${service}.nothing`],
      ),
    );
    expect((await found("rowUnsealed", `t_operator_audit of ${service} ${id}`)).detail).toContain("operator:ada");
  });

  test("a webhook that payment's login puts into its audit", async () => {
    const id = idOf(
      await as(
        "payment",
        `INSERT INTO t_pay_webhook (channel, outcome, reason, body, ip, create_time)
         VALUES ('wechat', 'applied', '', '', '', UTC_TIMESTAMP(3))`,
      ),
    );
    await found("rowUnsealed", `t_pay_webhook of payment ${id}`);
  });

  test("a call that was changed, and one that was removed, by whoever may", async () => {
    for (const userId of [newUser(), newUser()])
      await call(caller, "gift.findOrder", { orderId: userId, operator }).catch(() => undefined);
    const audit = `${databaseName("gift")}.t_operator_audit`;
    const last = BigInt(await lastId("gift", "t_operator_audit"));
    await passesDone();
    await administrator.query(`UPDATE ${audit} SET operator = 'eve' WHERE id = ?`, [String(last - 1n)]);
    await administrator.query(`DELETE FROM ${audit} WHERE id = ?`, [String(last)]);
    expect((await found("rowChanged", `t_operator_audit of gift ${last - 1n}`)).detail).toContain("operator eve");
    await found("rowRemoved", `t_operator_audit of gift ${last}`);
    const webhook = await lastId("payment", "t_pay_webhook WHERE order_id IS NOT NULL");
    const webhooks = `${databaseName("payment")}.t_pay_webhook`;
    await administrator.query(`UPDATE ${webhooks} SET amount = 1 WHERE id = ?`, [webhook]);
    await found("rowChanged", `t_pay_webhook of payment ${webhook}`);
    // Address and body may be erased; another body is found, also with its own salt, and a body without its salt.
    await sendWebhook(caller, cashierWebhook("nobodys"), { body: '{"another":"not genuine"}' });
    const [first, second] = await rows<{ id: string }>(
      "payment",
      "SELECT id FROM t_pay_webhook WHERE order_id IS NULL AND body_digest IS NOT NULL ORDER BY id",
    );
    await administrator.query(`UPDATE ${webhooks} SET ip = '', body = '', body_salt = NULL WHERE id = ?`, [first?.id]);
    await administrator.query(`UPDATE ${webhooks} SET body = 'x', body_salt = REPEAT('a', 32) WHERE id = ?`, [
      second?.id,
    ]);
    await found("rowChanged", `t_pay_webhook of payment ${second?.id}`);
    await passesDone();
    expect((await findings()).map(({ subject }) => subject)).not.toContain(`t_pay_webhook of payment ${first?.id}`);
    const called = await lastId("gift", "t_operator_audit WHERE call_id IS NULL AND operator <> 'eve'");
    await administrator.query(`UPDATE ${audit} SET params_salt = NULL WHERE id = ?`, [called]);
    await found("rowChanged", `t_operator_audit of gift ${called}`);
  });

  test("a call of the staff that was changed, one that was removed, one that was put in, and an outcome that was changed", async () => {
    const calls = [await staffCall("8"), await staffCall("9"), await staffCall("10")];
    const [changed, removed, forged] = calls as [StaffCallIds, StaffCallIds, StaffCallIds];
    await passesDone();
    const audit = `${databaseName("staff")}.t_staff_audit`;
    await administrator.query(`UPDATE ${audit} SET address = '10.0.0.2' WHERE id = ?`, [changed.callId]);
    await administrator.query(`DELETE FROM ${audit} WHERE id = ?`, [removed.callId]);
    await administrator.query(`UPDATE ${audit} SET outcome = 'succeeded' WHERE id = ?`, [forged.outcomeId]);
    const sql = `INSERT INTO t_staff_audit (person, role, address, route, params, outcome, create_time)
                 VALUES ('eve', 'admin', '', '/live/admin/x', '{}', 'started', UTC_TIMESTAMP(3))`;
    const inserted = idOf(await as("staff", sql));
    // The server denies the column, and the command, to the login.
    for (const [statement, errno] of [
      ["UPDATE t_staff_audit SET person = 'eve'", 1143],
      ["DELETE FROM t_staff_audit", 1142],
    ] as const)
      await expect(as("staff", statement)).rejects.toMatchObject({ errno });
    expect((await found("rowChanged", `t_staff_audit of staff ${changed.callId}`)).detail).toContain("10.0.0.2");
    await found("rowRemoved", `t_staff_audit of staff ${removed.callId}`);
    await found("rowChanged", `t_staff_audit of staff ${forged.outcomeId}`);
    await found("rowUnsealed", `t_staff_audit of staff ${inserted}`);
  });

  test("a row that one service seals in another's database, with the keys that it has", async () => {
    const mysql = new Database(databaseName("payment"), {
      url: process.env.PAYMENT_MYSQL_URL as string,
      connections: 1,
    });
    try {
      const seals = new SealChains({ service: "payment", keys: bookKeys("gift") });
      await addAuditRow({ mysql, seals }, sealedLedgers.paymentAudit, {
        ...{
          callId: null,
          operator: "ada",
          action: "payment.nothing",
          params: "{}",
          outcome: "started",
          requestId: null,
        },
      });
      const [seal] = await rows<{ writer: string }>(
        "payment",
        "SELECT writer FROM t_ledger_seal WHERE number = 1 ORDER BY id DESC LIMIT 1",
      );
      await found("sealForged", `seal ${seal?.writer}/1`);
    } finally {
      await mysql.close();
    }
  });

  test("a product that payment's login makes cheaper, and the orders of it, also after it is put back", async () => {
    await as("payment", "UPDATE t_pay_product SET price = 1 WHERE id = 10");
    expect((await found("catalogueDiffers", "product 10")).detail).toContain("price 1, by the audit 10000");
    const buy = { userId: newUser(), productId: 10, paySource: 1, payChannel: 3 };
    const { orderId } = await call(caller, "payment.pay", buy);
    await as(
      "payment",
      "UPDATE t_pay_product SET price = 10000, extra = JSON_SET(extra, '$.coin', 999999) WHERE id = 10",
    );
    const { orderId: rich } = await call(caller, "payment.pay", buy);
    await as("payment", "UPDATE t_pay_product SET extra = JSON_SET(extra, '$.coin', 1000) WHERE id = 10");
    expect((await found("orderTermsDiffer", `order ${orderId}`)).detail).toContain("price 1, by the audit 10000");
    expect((await found("orderTermsDiffer", `order ${rich}`)).detail).toContain("coins 999999, by the audit 1000");
    await gone("catalogueDiffers", "product 10");
  });

  test("a product that payment's login makes cheaper, with a call of an operator in the audit", async () => {
    const inAudit = `INSERT INTO t_operator_audit (call_id, operator, action, params, outcome, create_time)
      VALUES (?, 'operator:ada', 'payment.updateProduct', ?, ?, UTC_TIMESTAMP(3))`;
    const id = idOf(await as("payment", inAudit, [null, '{"productId":9,"price":5}', "started"]));
    const end = idOf(await as("payment", inAudit, [id, null, "succeeded"]));
    await as("payment", "UPDATE t_pay_product SET price = 5 WHERE id = 9");
    for (const row of [id, end]) await found("rowUnsealed", `t_operator_audit of payment ${row}`);
    expect((await found("catalogueDiffers", "product 9")).detail).toContain("price 5, by the audit 5000");
    const { orderId } = await call(caller, "payment.pay", {
      ...{ userId: newUser(), productId: 9, paySource: 1, payChannel: 3 },
    });
    expect((await found("orderTermsDiffer", `order ${orderId}`)).detail).toContain("price 5, by the audit 5000");
    await as("payment", "UPDATE t_pay_product SET price = 5000 WHERE id = 9");
    await gone("catalogueDiffers", "product 9");
  });

  test("an order of a product that payment's login puts on sale again", async () => {
    // Longer ago than a price counts after its change.
    const time = new Date(Date.now() - 3_600_000).toISOString().replace("T", " ").slice(0, 23);
    await audited("payment", "createProduct", { productId: 12, price: 1, coins: 1_000 }, { time });
    await audited("payment", "updateProduct", { productId: 12, status: 0 }, { time });
    const product = `INSERT INTO t_pay_product (id, name, price, extra, valid_status) VALUES (12, 'old', 1, '{"coin":1000}', 0)`;
    await as("payment", product);
    await as("payment", "UPDATE t_pay_product SET valid_status = 1 WHERE id = 12");
    const { orderId } = await call(caller, "payment.pay", {
      ...{ userId: newUser(), productId: 12, paySource: 1, payChannel: 3 },
    });
    expect((await found("orderTermsDiffer", `order ${orderId}`)).detail).toContain("status 1, by the audit 0");
  });

  test("a gift that the gift service's login makes cheaper, and the gifts that were accepted at that price", async () => {
    await as("gift", "UPDATE t_gift_config SET price = 1 WHERE gift_id = 25");
    expect((await found("catalogueDiffers", "gift 25")).detail).toContain("price 1, by the audit 500");
    await as(
      "gift",
      `INSERT INTO t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status, content_hash, send_time)
       VALUES ('cheap', 5, 6, 1, 25, 3, 1, 1, ?, UTC_TIMESTAMP(3)), ('right', 5, 6, 1, 25, 3, 500, 1, ?, UTC_TIMESTAMP(3))`,
      ["0".repeat(32), "0".repeat(32)],
    );
    expect((await found("giftPriceDiffers", "gift order cheap")).detail).toContain("price 1, by the audit 500");
    await call(caller, "gift.update", { giftId: 25, price: 500, operator });
    await gone("catalogueDiffers", "gift 25");
    expect((await findings()).filter(({ kind }) => kind === "giftPriceDiffers")).toHaveLength(1);
  });

  test("a share that the gift service's login gives an anchor, and no share that an operator gives her", async () => {
    const anchorId = newUser();
    await call(caller, "gift.setShare", { anchorId, percent: 60, operator });
    const forged = await as(
      "gift",
      `INSERT INTO t_anchor_share (anchor_id, percent, from_time, operator, create_time, key_name, signature)
       SELECT anchor_id, 100, UTC_TIMESTAMP(3), operator, UTC_TIMESTAMP(3), key_name, signature FROM t_anchor_share
       WHERE anchor_id = ?`,
      [anchorId],
    );
    const { detail } = await found("shareForged", `share ${idOf(forged)}`);
    expect(detail).toContain(`anchor ${anchorId}: 100 %`);
    // The server denies the command to the login.
    await expect(as("gift", "UPDATE t_anchor_share SET percent = 100")).rejects.toMatchObject({ errno: 1142 });
    expect((await findings()).filter(({ kind }) => kind === "shareForged")).toHaveLength(1);
  });
});

describe("nothing that a login writes stops the comparison:", () => {
  const beyond = "1152921504606846976";
  const seal = (service: SealingService, writer: string, number: string, book: number) =>
    as(
      service,
      `INSERT INTO t_ledger_seal (writer, number, previous, book, first_id, last_id, id_step, row_count, row_sum, rows_time,
         rows_digest, row_tags, key_name, digest)
       VALUES (?, ?, ?, ?, 1, 1, 1, 1, 0, UTC_TIMESTAMP(3), ?, '', 'k', ?)`,
      [writer, number, ...[zeros, book, zeros, zeros]],
    );
  const zeros = Buffer.alloc(32);
  /** With the name of a key that the service has. */
  const checkpoint = (service: SealingService, number: string, heads: string) =>
    as(
      service,
      `INSERT INTO t_ledger_checkpoint (number, previous, heads, key_name, digest, create_time)
       SELECT ?, ?, ?, key_name, ?, UTC_TIMESTAMP(3) FROM t_ledger_seal ORDER BY id LIMIT 1`,
      [number, zeros, heads, zeros],
    );
  const inAudit = (service: SealingService, id: string | null) =>
    as(
      service,
      `INSERT INTO t_operator_audit (id, operator, action, params, outcome, create_time)
       VALUES (?, 'operator:ada', ?, '{"giftId":25,"productId":10,"price":1}', 'started', UTC_TIMESTAMP(3))`,
      [id, service === "gift" ? "gift.update" : `${service}.updateProduct`],
    );

  test("numbers that no seal has, in a chain of the service and in a book that there is not", async () => {
    const [chain] = await rows<{ writer: string }>("payment", "SELECT writer FROM t_ledger_seal LIMIT 1");
    await seal("payment", chain!.writer, beyond, 200);
    await seal("gift", "a".repeat(32), "18446744073709551615", 6);
    await found("sealForged", `seal ${chain!.writer}/${beyond}`);
    await found("sealForged", `seal ${"a".repeat(32)}/18446744073709551615`);
  });

  test("checkpoints with heads that are none, or with a number that none has: the service joins its chains beside them", async () => {
    const kept = async (service: SealingService) =>
      Number(
        (
          await rows<{ n: string }>("auditor", "SELECT MAX(number) AS n FROM t_book_checkpoint WHERE service = ?", [
            service,
          ])
        )[0]!.n,
      );
    const next = String(
      1n + BigInt((await rows<{ n: string }>("payment", "SELECT MAX(number) AS n FROM t_ledger_checkpoint"))[0]!.n),
    );
    await checkpoint("payment", next, "5");
    await checkpoint("payment", String(BigInt(next) + 1n), '[{"writer":5}]');
    await checkpoint("payment", beyond, "{}");
    await checkpoint("gift", String(Number.MAX_SAFE_INTEGER), "[]");
    await found("checkpointForged", `checkpoint ${Number.MAX_SAFE_INTEGER} of gift`);
    for (const number of [next, String(BigInt(next) + 1n), beyond])
      await found("checkpointForged", `checkpoint ${number} of payment`);
    const before = await kept("gift");
    await call(caller, "gift.findOrder", { orderId: "none", operator }).catch(() => undefined);
    await call(caller, "payment.findOrder", { orderId: "none", operator }).catch(() => undefined);
    await eventually("payment's next checkpoint", async () => (await kept("payment")) > Number(next), 20_000);
    await eventually("gift's next checkpoint", async () => (await kept("gift")) > before, 20_000);
    await passesDone();
    expect(await kindsNow()).not.toContain("checkpointRemoved");
  });

  test("an id of an audit's row beyond every other", async () => {
    await inAudit("gift", beyond);
    await found("rowUnsealed", `t_operator_audit of gift ${beyond}`);
    const audit = `${databaseName("gift")}.t_operator_audit`;
    await administrator.query(`DELETE FROM ${audit} WHERE id = ?`, [beyond]);
    await administrator.query(`ALTER TABLE ${audit} AUTO_INCREMENT = 1`);
  });

  test("a check that fails is named with its cause, the others go on, and it is gone once the check runs again", async () => {
    const table = `${databaseName("payment")}.t_pay_refund`;
    await passesDone();
    expect(await kindsNow()).not.toContain("checkFailed");
    await administrator.query(`RENAME TABLE ${table} TO ${table}_away`);
    try {
      const named = await eventually(
        "a check that failed",
        async () => (await findings()).find(({ kind, gone_time }) => kind === "checkFailed" && !gone_time),
        60_000,
      );
      expect(named.detail).toContain("t_pay_refund");
      await inAudit("wallet", null);
      await found("rowUnsealed", `t_operator_audit of wallet ${await lastId("wallet", "t_operator_audit")}`);
    } finally {
      await administrator.query(`RENAME TABLE ${table}_away TO ${table}`);
    }
    await eventually("it is gone", async () => !(await kindsNow()).includes("checkFailed"), 40_000);
    const [age] = await rows<{ ms: string }>(
      "auditor",
      "SELECT TIMESTAMPDIFF(MICROSECOND, ended_time, UTC_TIMESTAMP(3)) / 1000 AS ms FROM t_book_round",
    );
    expect(Number(age?.ms)).toBeLessThan(30_000);
  });
});

describe("an operator", () => {
  const list = async (accepted?: number) =>
    (await call(caller, "auditor.findings", { limit: 100, operator, ...(accepted !== undefined && { accepted }) }))
      .list;
  const findingOf = async (kind: string, subject: string) =>
    (await list()).find((one) => one.kind === kind && one.subject === subject);
  const gauge = (name: string, kind: string) => {
    const [metric] = auditorNode.metrics.list({ includes: name }) as unknown as {
      name: string;
      values: { labels: { kind: string }; value: number }[];
    }[];
    return metric?.values.find(({ labels }) => labels.kind === kind)?.value;
  };
  const numbers = (kind: string) => [
    gauge("ovation.books.differences", kind),
    gauge("ovation.books.differences.accepted", kind),
  ];

  test("accepts a difference as it is: it stays listed, is not counted, and counts again once it changes", async () => {
    const user = newUser();
    const set = (balance: number) =>
      as("wallet", "UPDATE t_qiyu_currency_account SET current_balance = ? WHERE user_id = ?", [balance, user]);
    await as(
      "wallet",
      `INSERT INTO t_qiyu_currency_account (user_id, current_balance, create_time, update_time)
       VALUES (?, 10, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE current_balance = 10`,
      [user],
    );
    const subject = `account ${user}`;
    await found("balanceDiffers", subject);
    await eventually("it is counted", () => numbers("balanceDiffers").join() === "1,0", 30_000);
    const { id, detail } = (await findingOf("balanceDiffers", subject))!;
    const acceptance = { id, detail, reason: "a test account of before the launch", operator };
    const accepted = await call(caller, "auditor.acceptFinding", acceptance);
    expect(accepted.accepted).toEqual({ time: expect.any(String), by: operator, reason: acceptance.reason });
    const repeated = await call(caller, "auditor.acceptFinding", { ...acceptance, reason: "other", operator: "bob" });
    expect(repeated.accepted).toEqual(accepted.accepted);
    await passesDone();
    await eventually("it is not counted", () => numbers("balanceDiffers").join() === "0,1", 30_000);
    expect((await list(1)).map((one) => one.id)).toEqual([id]);
    expect((await list(0)).map((one) => one.id)).not.toContain(id);
    const report = (await caller.call("auditor.health", {}, { nodeID: auditorNode.nodeID })) as { books: unknown };
    expect(JSON.stringify(report.books)).not.toContain("balanceDiffers");

    await set(11);
    await eventually(
      "it counts again",
      async () => (await findingOf("balanceDiffers", subject))?.accepted === null,
      30_000,
    );
    // What was read is accepted, and not what it has grown to.
    await expect(call(caller, "auditor.acceptFinding", acceptance)).rejects.toMatchObject({ type: "findingChanged" });
    const grown = { ...acceptance, detail: (await findingOf("balanceDiffers", subject))!.detail };
    await call(caller, "auditor.acceptFinding", grown);
    await set(0);
    await gone("balanceDiffers", subject);
    await expect(call(caller, "auditor.acceptFinding", acceptance)).rejects.toMatchObject({ type: "findingUnknown" });
    await set(11);
    await eventually(
      "found again it counts",
      async () => (await findingOf("balanceDiffers", subject))?.accepted === null,
      30_000,
    );
    await set(0);
    const audit = await rows<{ params: string }>(
      "auditor",
      "SELECT params FROM t_operator_audit WHERE action = 'auditor.acceptFinding' AND call_id IS NULL ORDER BY id LIMIT 1",
    );
    expect(JSON.parse(audit[0]!.params)).toEqual({ id, detail, reason: acceptance.reason });
  });

  test("accepts no forged seal or checkpoint", async () => {
    for (const kind of ["sealForged", "checkpointForged"]) {
      const { id, detail } = (await list()).find((one) => one.kind === kind)!;
      await expect(call(caller, "auditor.acceptFinding", { id, detail, reason: "r", operator })).rejects.toMatchObject({
        type: "findingRefused",
      });
    }
  });

  test("accepts a changed row, which counts again once it changes behind the end of what is shown of it", async () => {
    const audit = `${databaseName("wallet")}.t_operator_audit`;
    const freeze = { userId: newUser(), reason: "long", operator };
    await call(caller, "wallet.freeze", freeze);
    const [row] = await rows<{ id: string }>(
      "wallet",
      "SELECT MAX(id) AS id FROM t_operator_audit WHERE action = 'wallet.freeze' AND call_id IS NULL",
    );
    const change = (end: string) =>
      administrator.query(`UPDATE ${audit} SET params = ? WHERE id = ?`, ["x".repeat(600) + end, row!.id]);
    await change("a");
    const subject = `t_operator_audit of wallet ${row!.id}`;
    const { id, detail } = (await found("rowChanged", subject).then(() => findingOf("rowChanged", subject)))!;
    expect(
      (await call(caller, "auditor.acceptFinding", { id, detail, reason: "r", operator })).accepted,
    ).not.toBeNull();
    await passesDone();
    expect((await findingOf("rowChanged", subject))?.accepted).not.toBeNull();
    await change("b");
    await eventually("it counts", async () => (await findingOf("rowChanged", subject))?.accepted === null, 40_000);
  });

  test("may accept what there is alone", async () => {
    await expect(
      call(caller, "auditor.acceptFinding", { id: 999_999, detail: "", reason: "r", operator }),
    ).rejects.toMatchObject({
      type: "findingUnknown",
    });
    expect(await kindsNow()).toContain("rowUnsealed");
  });
});

test("with one key for two services the auditor does not start", () => {
  const before = process.env.GIFT_BOOK_KEYS;
  process.env.GIFT_BOOK_KEYS = process.env.PAYMENT_BOOK_KEYS as string;
  readConfigAgain();
  try {
    const { created } = auditor as unknown as { created(this: Partial<Service>): void };
    expect(() => created.call({})).toThrow("GIFT_BOOK_KEYS and PAYMENT_BOOK_KEYS have a key in common");
  } finally {
    process.env.GIFT_BOOK_KEYS = before as string;
    readConfigAgain();
  }
});
