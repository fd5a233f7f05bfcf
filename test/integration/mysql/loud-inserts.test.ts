import { randomBytes } from "node:crypto";
import { databaseName } from "../../../config/config.ts";
import { namedKeysIn } from "../../../config/named-keys.ts";
import { Database, type Transaction } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { SealChains, type Sealing } from "../../../mixins/seals/seal-chains.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { insertRecords, type SettledRecord } from "../../../services/gift/record-writes-store.ts";
import { giveBack, insertCollection, pressOnce } from "../../../services/payment/providers/cashier/cashier-store.ts";
import { insertHolds } from "../../../services/wallet/holds/hold-store.ts";
import { insertPostings } from "../../../services/wallet/income/income-store.ts";
import { insertDebts, insertTrades } from "../../../services/wallet/wallet-store.ts";
import { stopAll } from "../../support/system.ts";

/** Rows of money that are against a CHECK or outside a column's range: they fail, and nothing of them is stored. */

const services = ["gift", "wallet", "payment"] as const;
const databases = {} as Record<(typeof services)[number], Database>;

beforeAll(async () => {
  await Promise.all(services.map((service) => migrate(databaseName(service), migrationFolders[service])));
  for (const service of services) databases[service] = new Database(databaseName(service));
});
afterAll(async () => {
  await Promise.all(Object.values(databases).map((database) => database.close()));
  await stopAll();
});

/** Codes of the server: outside a range, too long, NULL, a CHECK of MariaDB, one of MySQL. */
const loud = [1264, 1406, 1048, 4025, 3819];

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "stored",
    (error: { errno?: number }) => error.errno,
  );
const isLoud = async (work: Promise<unknown>) => loud.includes((await codeOf(work)) as number);
const idsOf = async (service: (typeof services)[number], table: string, column: string) =>
  (await databases[service].query<{ id: string }>(`SELECT ${column} AS id FROM ${table} ORDER BY id`)).map(
    ({ id }) => id,
  );

function record(orderId: string, changes: Partial<SettledRecord["gift"]> = {}, more: Partial<SettledRecord> = {}) {
  const gift = {
    ...{ orderId, senderId: "1", receiverId: "2", roomId: 1, giftId: 1, count: 1, price: 10, sharePercent: 50 },
    ...{ type: 0, url: "", contentHash: "0".repeat(32), acceptedAt: new Date().toISOString(), ...changes },
  };
  return {
    gift,
    time: new Date(),
    succeeded: true,
    reason: null,
    income: 5,
    incomePoints: 500,
    ...more,
  } as SettledRecord;
}

describe("gift records", () => {
  test.each([
    ["a price", record("out-1", { price: 2 ** 64 })],
    ["a count", record("out-2", { count: 2 ** 32 })],
    ["a negative count", record("out-3", { count: -1 })],
    ["an income", record("out-4", {}, { incomePoints: 2 ** 64 })],
    ["a reason", record("out-5", {}, { reason: "r".repeat(41) })],
    ["an order id", record("o".repeat(65))],
  ])("with %s outside the column's range fail, with the whole batch", async (_what, wrong) => {
    expect(await isLoud(insertRecords(databases.gift, [record("fits"), wrong]))).toBe(true);
    expect(await idsOf("gift", "t_gift_record", "order_id")).toEqual([]);
  });

  test("that exist stay as they are, and the others of the batch are stored, also when two nodes write at once", async () => {
    await insertRecords(databases.gift, [record("a"), record("c")]);
    const batches = [
      ["a", "b", "c", "d"],
      ["d", "e", "b", "a"],
      ["f", "e", "d", "c"],
    ].map((ids) => ids.map((id) => record(id, { price: 99 })));
    await Promise.all(batches.map((batch) => insertRecords(databases.gift, batch)));
    const stored = await databases.gift.query<{ order_id: string; price: string }>(
      "SELECT order_id, price FROM t_gift_record ORDER BY order_id",
    );
    expect(stored.map(({ order_id, price }) => `${order_id} ${price}`)).toEqual([
      "a 10",
      "b 99",
      "c 10",
      "d 99",
      "e 99",
      "f 99",
    ]);
  });

  test("are given with their ids, in their order; of those that exist id and time are the first ones, also where only some do", async () => {
    const time = new Date("2026-01-01T00:00:00.123Z");
    const idOf = async (orderId: string) =>
      (await databases.gift.query<{ id: string }>("SELECT id FROM t_gift_record WHERE order_id = ?", [orderId])).map(
        ({ id }) => String(id),
      )[0];
    const first = await insertRecords(
      databases.gift,
      ["id-1", "id-2", "id-3"].map((id) => record(id, {}, { time })),
    );
    const all = ["id-0", "id-3", "id-4", "id-1", "id-5"];
    const again = await insertRecords(
      databases.gift,
      all.map((id) => record(id)),
    );
    for (const [at, id] of ["id-1", "id-2", "id-3"].entries())
      expect(first[at]).toEqual({ recordId: await idOf(id), time });
    for (const [at, id] of all.entries()) expect([id, again[at]?.recordId]).toEqual([id, await idOf(id)]);
    expect([again[1], again[3]]).toEqual([first[2], first[0]]);
    expect(await insertRecords(databases.gift, [record("id-4")])).toEqual([again[2]]);
  });

  test("are given with their ids where the server counts by threes, as in a cluster, and others insert meanwhile", async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `step-${n}`);
    const others = Array.from({ length: 20 }, (_, n) => n);
    const [stored] = await Promise.all([
      databases.gift.transaction(async (tx) => {
        await tx.run("SET SESSION auto_increment_increment = 3");
        try {
          return await insertRecords(
            tx,
            ids.map((id) => record(id)),
          );
        } finally {
          await tx.run("SET SESSION auto_increment_increment = DEFAULT");
        }
      }),
      ...others.map((n) => insertRecords(databases.gift, [record(`other-${n}`), record(`another-${n}`)])),
    ]);
    const rows = await databases.gift.query<{ id: string; order_id: string }>(
      "SELECT id, order_id FROM t_gift_record WHERE order_id LIKE 'step-%'",
    );
    const right = new Map(rows.map(({ id, order_id }) => [order_id, String(id)]));
    expect(stored.map(({ recordId }) => recordId)).toEqual(ids.map((id) => right.get(id)));
    expect(BigInt(stored[1]?.recordId as string) - BigInt(stored[0]?.recordId as string)).toBe(3n);
  });

  test("beside one that exists do not hide one that is outside its range", async () => {
    await insertRecords(databases.gift, [record("there")]);
    expect(await isLoud(insertRecords(databases.gift, [record("there"), record("wrong", { price: 2 ** 64 })]))).toBe(
      true,
    );
    expect(await idsOf("gift", "t_gift_record", "order_id")).not.toContain("wrong");
  });
});

test("a refund of the cashier is stored once, and fails where the payment has no transaction", async () => {
  const { payment } = databases;
  for (const orderId of ["paid", "odd"]) await insertCollection(payment, { orderId, name: "n", amount: 100 });
  await pressOnce(payment, "paid", { action: "pay", noticeId: "n-1", transactionId: "t-1", calls: 1 });
  await payment.run("UPDATE t_cashier_payment SET action = 'pay', transaction_id = NULL WHERE order_id = 'odd'");
  await Promise.all([1, 2, 3].map(() => giveBack(payment, "paid")));
  expect(await isLoud(giveBack(payment, "odd"))).toBe(true);
  expect(await idsOf("payment", "t_cashier_refund", "order_id")).toEqual(["paid"]);
});

describe("the ledgers", () => {
  const seals = new SealChains({
    service: "wallet",
    keys: namedKeysIn(`one:${randomBytes(32).toString("base64url")}`),
  });
  const inWallet = (work: (tx: Transaction, sealing: Sealing) => Promise<void>) =>
    isLoud(seals.transaction(databases.wallet, work));
  const trade = {
    ...{ userId: "1", num: -10, type: 0, status: 1, bizId: "gift-1", counterpartyId: "2" },
    ...{ incomePoints: 500, balanceAfter: 0, reason: null },
  };

  test.each([
    ["no coins", { num: 0 }],
    ["coins outside the range", { num: 2 ** 64 }],
    ["a negative income", { incomePoints: -1 }],
    ["a long business id", { bizId: "b".repeat(101) }],
  ])("of coins refuse a row with %s, with its transaction", async (_what, changes) => {
    const rows = [
      { ...trade, bizId: "gift-0" },
      { ...trade, ...changes },
    ];
    expect(await inWallet((tx, sealing) => insertTrades(tx, rows as never, sealing))).toBe(true);
    expect(await idsOf("wallet", "t_qiyu_currency_trade", "biz_id")).toEqual([]);
  });

  test("of debts refuse coins outside the range", async () => {
    expect(
      await inWallet((tx, sealing) => insertDebts(tx, [{ userId: "1", num: 2 ** 64, bizId: "refund:1" }], sealing)),
    ).toBe(true);
    expect(await idsOf("wallet", "t_wallet_debt", "biz_id")).toEqual([]);
  });

  test("of income refuse points in the wrong direction, and gifts of a hold without coins", async () => {
    const posting = {
      kind: "hold",
      anchorId: "2",
      points: 10,
      valid: true,
      bizId: "hold:1:2",
      orderId: "1",
      reason: "r",
    };
    expect(await inWallet((tx, sealing) => insertPostings(tx, [posting as never], sealing))).toBe(true);
    const part = { gift: { orderId: "gift-1" }, coinsFrom: 0, coins: 0, sharePoints: 0 };
    const move = { kind: "hold", anchorId: "2", points: -10, bizId: "hold:1:2", parts: [part] };
    expect(await inWallet((tx, sealing) => insertHolds(tx, "1", [move as never], "r", sealing))).toBe(true);
    expect(await idsOf("wallet", "t_income_posting", "biz_id")).toEqual([]);
    expect(await idsOf("wallet", "t_income_hold_gift", "gift_biz_id")).toEqual([]);
  });
});
