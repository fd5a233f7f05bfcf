import { execFile } from "node:child_process";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { archivedRecords, archivedTrades } from "../../../services/archived-tables.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { startNode, stopAll } from "../../support/system.ts";
import { settle } from "../wallet/traffic.ts";
import { compared, onDay, TestMover } from "./archiving.ts";
import {
  found as foundBy,
  funded,
  give,
  newUser,
  openDatabases,
  passesDone,
  refund,
  startAuditor,
  startWallet,
} from "./bookkeeping.ts";

/** The comparison of books whose closed months are archived. */

jest.setTimeout(120_000);

let caller: ServiceBroker;
let intruder: Connection;
let books: Database;
let own: Database;
const movers: TestMover[] = [];
const anchors = [newUser(), newUser()];
const fans: string[] = [];

const run = (sql: string, values: unknown[] = []) => intruder.query(sql, values);
const full = (table: string) => `${databaseName(table.startsWith("t_gift") ? "gift" : "wallet")}.${table}`;
const verified = () => compared({ books, own }, true);
const passed = () => compared({ books, own }, false);

beforeAll(async () => {
  intruder = await openDatabases();
  await migrate(databaseName("auditor"), migrationFolders.auditor);
  await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  books = new Database(databaseName("wallet"), { connections: 2, retried: () => {} });
  own = new Database(databaseName("auditor"), { connections: 1 });
  movers.push(
    ...[archivedTrades, archivedRecords].map((table) => new TestMover(table, { segmentRows: 16, sliceRows: 6 })),
  );
  for (let n = 0; n < 4; n++) fans.push(await funded(intruder, caller, 200));
  for (let n = 0; n < 5; n++)
    for (const fan of fans) {
      const given = await give(intruder, caller, fan, gifts(n));
      // A repeat: it burns ids.
      if (n === 1) await settle(caller, given);
    }
  // Rejected: it moves nothing, and has its row and its record.
  await give(intruder, caller, fans[0] as string, [{ price: 1_000 }]);
  // Spent coins that are refunded: a debt, and shares that are held back.
  const payer = await funded(intruder, caller, 30);
  await give(intruder, caller, payer, [{ receiverId: anchors[0] as string, price: 20 }]);
  await refund(intruder, payer, 30);
  await call(caller, "wallet.holdIncome", { orderId: `order-${payer}`, reason: "spent", operator: "alice" });
  fans.push(payer);
  await give(intruder, caller, fans[0] as string, gifts(1));
});
afterAll(async () => {
  for (const mover of movers) await mover.close();
  await Promise.all([books?.close(), own?.close(), intruder?.end()]);
  await closeAudits();
  await stopAll();
});

const gifts = (n: number) => [{ receiverId: anchors[n % 2] as string, price: 1 + n }];

function verify(...args: string[]): Promise<{ code: number; out: string }> {
  const script = join(projectRoot(), "scripts/verify.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env: process.env }, (error, stdout) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout });
    });
  });
}

const countOf = async (table: string) =>
  Number((await rows<{ n: string }>("wallet", `SELECT COUNT(*) AS n FROM ${full(table)}`))[0]?.n);

describe("the books are equal", () => {
  test("before any row is moved, after each step of the mover while gifts are sent, and when all is moved", async () => {
    expect(await verified()).toEqual([]);
    let at = 0;
    for (const mover of movers) {
      const done: string[] = [];
      await mover.until("nothing", async (did) => {
        done.push(did);
        if (at % 4 === 0 && at < 40) await give(intruder, caller, fans[at % 4] as string, gifts(at));
        expect({ at: at++, did, differences: await verified() }).toEqual({ at: at - 1, did, differences: [] });
        if (did === "closed" || did === "emptying") expect(await passed()).toEqual([]);
      });
      expect(new Set(done)).toEqual(new Set(["planned", "partitioned", "filtered", "emptying", "closed", "nothing"]));
    }
    expect(await countOf("t_qiyu_currency_trade_archive")).toBeGreaterThan(20);
    expect(await countOf("t_gift_record_archive")).toBeGreaterThan(20);
    await expectBooksBalanced();
  });

  test("for a comparison since a time at which rows are archived, and for npm run verify", async () => {
    const plain = await verify("--json");
    expect([plain.code, JSON.parse(plain.out).differences]).toEqual([0, []]);
    const since = await verify("--json", "--since", new Date(Date.now() - 86_400_000).toISOString().slice(0, 10));
    expect([since.code, JSON.parse(since.out).differences]).toEqual([0, []]);
  });

  test("for passes, which keep the shares of closed segments and read these instead of the rows", async () => {
    expect(await passed()).toEqual([]);
    const [kept] = await rows<{ points: string; segments: string }>(
      "auditor",
      `SELECT (SELECT CAST(SUM(points) AS CHAR) FROM t_book_segment_share) AS points,
         (SELECT COUNT(*) FROM t_book_segment WHERE table_name = 't_qiyu_currency_trade' AND summed = 1) AS segments`,
    );
    const [archived] = await rows<{ points: string; segments: string }>(
      "wallet",
      `SELECT (SELECT CAST(SUM(counterparty_income_points) AS CHAR) FROM t_qiyu_currency_trade_archive
           WHERE type = 0 AND status = 1) AS points,
         (SELECT COUNT(*) FROM t_archive_segment WHERE state = 'closed') AS segments`,
    );
    expect(kept).toEqual(archived);
    await own.run("UPDATE t_book_segment_share SET points = points + 1 LIMIT 1");
    // Segment n is added up again on day n: on day 9 none of these few is.
    expect((await onDay(9, passed)).map(({ kind }) => kind)).toEqual(["earningsDiffer"]);
    await own.run("UPDATE t_book_segment SET summed = 0");
    expect(await passed()).toEqual([]);
  });
});

/** A change, what takes it back, and what is found of it: kinds and subjects, with `*` for any. */
interface Tampering {
  readonly change: () => Promise<() => Promise<unknown>>;
  readonly found: readonly string[];
}

const archivedRow = async (table: ArchivedTable, at: number): Promise<Record<string, unknown>> => {
  const [row] = (await run(
    `SELECT ${table.columns.join(", ")} FROM ${full(table.archive)} ORDER BY id LIMIT 1 OFFSET ${at}`,
  )) as unknown as [Record<string, unknown>[]];
  return row[0] as Record<string, unknown>;
};
const plain = (value: unknown) =>
  value !== null && typeof value === "object" && !(value instanceof Date) ? JSON.stringify(value) : value;
const insert = (table: ArchivedTable, into: string, row: Record<string, unknown>) =>
  run(`INSERT INTO ${full(into)} (${table.columns.join(", ")}) VALUES (?)`, [
    table.columns.map((column) => plain(row[column])),
  ]);
const remove = (table: string, id: unknown) => run(`DELETE FROM ${full(table)} WHERE id = ?`, [id]);

/** Sets a column of an archived row by SQL. */
const set =
  (table: ArchivedTable, at: number, column: string, to: string): Tampering["change"] =>
  async () => {
    const row = await archivedRow(table, at);
    await run(`UPDATE ${full(table.archive)} SET ${column} = ${to} WHERE id = ?`, [row.id]);
    return () => run(`UPDATE ${full(table.archive)} SET ${column} = ? WHERE id = ?`, [plain(row[column]), row.id]);
  };

/** Changes rows of a table without a number of its own, all of which are put back. */
const table =
  (name: string, sql: string, columns = "*"): Tampering["change"] =>
  async () => {
    const [before] = (await run(`SELECT ${columns} FROM ${full(name)}`)) as unknown as [Record<string, unknown>[]];
    await run(sql);
    return async () => {
      await run(`DELETE FROM ${full(name)}`);
      for (const row of before)
        await run(`INSERT INTO ${full(name)} (${Object.keys(row).join(", ")}) VALUES (?)`, [Object.values(row)]);
    };
  };

const trades = archivedTrades.archive;
const records = archivedRecords.archive;
const gift = () => databaseName("gift");
const ofTrades = "table_name = 't_qiyu_currency_trade'";

const tamperings: Readonly<Record<string, Tampering>> = {
  "an archived trade that was changed": {
    change: set(archivedTrades, 9, "num", "num - 1"),
    found: ["rowChanged t_qiyu_currency_trade *", "archiveDiffers segment 1 of t_qiyu_currency_trade"],
  },
  "an archived trade that was removed": {
    async change() {
      const row = await archivedRow(archivedTrades, 9);
      await remove(trades, row.id);
      return () => insert(archivedTrades, trades, row);
    },
    found: [
      "rowRemoved t_qiyu_currency_trade *",
      "archiveDiffers segment 1 of t_qiyu_currency_trade",
      "archiveSumDiffers *",
    ],
  },
  "an archived trade that was added, in a segment": {
    async change() {
      const row = await archivedRow(archivedTrades, 9);
      const [gap] = await rows<{ id: string }>(
        "wallet",
        `SELECT a.id + 1 AS id FROM ${trades} a LEFT JOIN ${trades} b ON b.id = a.id + 1 WHERE b.id IS NULL ORDER BY a.id LIMIT 1`,
      );
      const id = String(gap?.id);
      await insert(archivedTrades, trades, { ...row, id, biz_id: "added" });
      return () => remove(trades, id);
    },
    found: ["rowUnsealed t_qiyu_currency_trade *", "archiveDiffers segment * of t_qiyu_currency_trade"],
  },
  "an archived trade that was added, beyond all segments": {
    async change() {
      const row = await archivedRow(archivedTrades, 9);
      await insert(archivedTrades, trades, { ...row, id: "900000000", biz_id: "added" });
      return () => remove(trades, "900000000");
    },
    found: ["rowUnsealed t_qiyu_currency_trade 900000000", `rowMisplaced ${trades} 900000000`],
  },
  "an archived trade that is in the ledger again": {
    async change() {
      const row = await archivedRow(archivedTrades, 9);
      await insert(archivedTrades, archivedTrades.table, row);
      return () => remove(archivedTrades.table, row.id);
    },
    found: ["rowMisplaced t_qiyu_currency_trade *", "archivedTwice t_qiyu_currency_trade *", "balanceDiffers *"],
  },
  "an archived gift that was charged once more": {
    async change() {
      const row = await archivedRow(archivedTrades, 9);
      await insert(archivedTrades, archivedTrades.table, { ...row, id: "800000000" });
      return () => remove(archivedTrades.table, "800000000");
    },
    found: ["rowUnsealed t_qiyu_currency_trade 800000000", "archivedTwice t_qiyu_currency_trade *"],
  },
  "an archived record with another price": {
    change: set(archivedRecords, 5, "price", "price + 1"),
    found: ["giftDiffers *", "archiveDiffers segment 1 of t_gift_record"],
  },
  "an archived record with another room": {
    change: set(archivedRecords, 5, "room_id", "4711"),
    found: ["archiveDiffers segment 1 of t_gift_record"],
  },
  "an archived record that was removed": {
    async change() {
      const row = await archivedRow(archivedRecords, 5);
      await remove(records, row.id);
      return () => insert(archivedRecords, records, row);
    },
    found: ["giftNotRecorded gift order *", "archiveDiffers segment 1 of t_gift_record"],
  },
  "an archived record that was added": {
    async change() {
      const row = await archivedRow(archivedRecords, 5);
      await insert(archivedRecords, records, { ...row, id: "900000000", order_id: "added" });
      return () => remove(records, "900000000");
    },
    found: [`rowMisplaced ${records} 900000000`, "giftWithoutCharge gift order added"],
  },
  "a segment whose sum was set by hand": {
    change: table("t_archive_segment", `UPDATE t_archive_segment SET row_sum = row_sum + 1 WHERE segment = 2`),
    found: ["segmentForged segment 2 of t_qiyu_currency_trade", "archiveDiffers segment 2 of t_qiyu_currency_trade"],
  },
  "a segment whose state was set by hand": {
    change: table("t_archive_segment", `UPDATE t_archive_segment SET state = 'filtered' WHERE segment = 2`),
    found: ["segmentForged segment 2 of t_qiyu_currency_trade"],
  },
  "a segment that was removed": {
    change: table("t_archive_segment", `DELETE FROM t_archive_segment WHERE segment = 1`),
    found: ["segmentRemoved segment 1 of t_qiyu_currency_trade", `rowMisplaced ${trades} *`],
  },
  "the last segment that was removed, with its rows, its filter and its sums": {
    async change() {
      const [last] = await rows<{ n: number; from: string }>(
        "gift",
        "SELECT segment AS n, from_id AS `from` FROM t_archive_segment ORDER BY segment DESC LIMIT 1",
      );
      const undo: (() => Promise<unknown>)[] = [];
      for (const [name, where] of [
        ["t_gift_record_archive", `id >= ${last?.from}`],
        ["t_archive_filter", `segment = ${last?.n}`],
        ["t_archive_segment", `segment = ${last?.n}`],
      ] as const) {
        const columns = name === records ? archivedRecords.columns.join(", ") : "*";
        const [gone] = (await run(`SELECT ${columns} FROM ${gift()}.${name} WHERE ${where}`)) as unknown as [
          Record<string, unknown>[],
        ];
        await run(`DELETE FROM ${gift()}.${name} WHERE ${where}`);
        for (const row of gone)
          undo.push(() =>
            run(`INSERT INTO ${gift()}.${name} (${Object.keys(row).join(", ")}) VALUES (?)`, [
              Object.values(row).map((value) => (Buffer.isBuffer(value) ? value : plain(value))),
            ]),
          );
      }
      return async () => {
        for (const one of undo) await one();
      };
    },
    found: ["segmentRemoved segment * of t_gift_record", "giftNotRecorded gift order *"],
  },
  "a segment that was added": {
    change: table(
      "t_archive_segment",
      `INSERT INTO t_archive_segment (table_name, segment, from_id, to_id, moved_to, month, state, planned_time)
       SELECT table_name, segment + 1, to_id, to_id + 5, to_id + 5, month, 'closed', planned_time FROM t_archive_segment
       ORDER BY segment DESC LIMIT 1`,
    ),
    found: ["segmentForged segment * of t_qiyu_currency_trade", "rowMisplaced t_qiyu_currency_trade *"],
  },
  "a filter without the ids that it had": {
    change: table(
      "t_archive_filter",
      `UPDATE t_archive_filter SET bits = REPEAT(CHAR(0), LENGTH(bits)) WHERE segment = 1`,
    ),
    found: ["filterDiffers filter of segment 1 of t_qiyu_currency_trade"],
  },
  "a filter that was removed": {
    change: table("t_archive_filter", `DELETE FROM t_archive_filter WHERE segment = 1`),
    found: ["filterDiffers filter of segment 1 of t_qiyu_currency_trade"],
  },
  "a revision that was set back, so that nodes load no filters": {
    change: table("t_archive_revision", `UPDATE t_archive_revision SET revision = 1 WHERE ${ofTrades}`),
    found: ["segmentForged revision of t_qiyu_currency_trade"],
  },
  "what of a user is archived, set by hand": {
    change: table("t_trade_archive_sum", `UPDATE t_trade_archive_sum SET num = num + 5 LIMIT 1`),
    found: ["archiveSumDiffers t_trade_archive_sum", "archiveSumDiffers account *", "balanceDiffers account *"],
  },
  "what of two users is archived, and their balances, moved from one to the other": {
    async change() {
      const [one, other] = fans;
      const move = (by: number) =>
        Promise.all(
          [
            [one, by],
            [other, -by],
          ].flatMap(([user, coins]) => [
            run("UPDATE t_trade_archive_sum SET num = num + ? WHERE user_id = ?", [coins, user]),
            run("UPDATE t_qiyu_currency_account SET current_balance = current_balance + ? WHERE user_id = ?", [
              coins,
              user,
            ]),
          ]),
        );
      await move(5);
      return () => move(-5);
    },
    found: ["archiveSumDiffers account *"],
  },
  "what of a user is archived, removed": {
    change: table("t_trade_archive_sum", `DELETE FROM t_trade_archive_sum LIMIT 1`),
    found: ["archiveSumDiffers t_trade_archive_sum", "balanceDiffers account *"],
  },
};

const matches = (expected: string, { kind, subject }: { kind: string; subject: string }) => {
  const [first = "", last = ""] = expected.split("*");
  const text = `${kind} ${subject}`;
  return expected.includes("*") ? text.startsWith(first) && text.endsWith(last) : text === expected;
};

describe("is found and named by verify, and gone with its cause:", () => {
  test.each(Object.keys(tamperings))("%s", async (name) => {
    const { change, found } = tamperings[name] as Tampering;
    const undo = await change();
    const differences = await verified().finally(undo);
    for (const expected of found)
      expect({ expected, found: differences.filter((one) => matches(expected, one)).length > 0, differences }).toEqual({
        ...{ expected, found: true, differences },
      });
    expect(differences.filter(({ kind }) => kind === "checkFailed")).toEqual([]);
  });

  test("all of it is undone", async () => {
    expect(await verified()).toEqual([]);
  });

  test("npm run verify ends with 2 and names it", async () => {
    const undo = await set(archivedRecords, 5, "room_id", "4711")();
    const { code, out } = await verify();
    await undo();
    expect([code, out]).toEqual([2, expect.stringContaining("archiveDiffers  segment 1 of t_gift_record")]);
  });
});

describe("a pass of the auditor", () => {
  test("names changed sums of archived rows each day, and each other change on the day of its part", async () => {
    const kinds = async (part: number) => (await onDay(part, passed)).map(({ kind }) => kind);
    const price = await set(archivedRecords, 5, "price", "price + 1")();
    expect(await kinds(9)).toEqual(["archiveDiffers"]);
    await price();
    // Segment 1 is read on day 1, the ids of its rows on day 0.
    const room = await set(archivedRecords, 5, "room_id", "4711")();
    expect([await kinds(9), await kinds(1)]).toEqual([[], ["archiveDiffers"]]);
    await room();
    const receiver = await set(archivedRecords, 5, "object_id", "4711")();
    expect([await kinds(9), await kinds(0)]).toEqual([[], ["giftDiffers"]]);
    await receiver();
    const moved = await (
      tamperings["what of two users is archived, and their balances, moved from one to the other"] as Tampering
    ).change();
    const days = fans.slice(0, 2).map((fan) => Number(BigInt(fan) % 28n));
    const other = [0, 1, 2].find((day) => !days.includes(day)) as number;
    expect((await kinds(other)).filter((kind) => kind === "archiveSumDiffers")).toEqual([]);
    for (const day of days) expect(await kinds(day)).toContain("archiveSumDiffers");
    await moved();
  });

  test("of a running auditor names a segment whose seal was changed, within its next pass", async () => {
    await startAuditor("auditor-1");
    await passesDone();
    const undo = await table("t_archive_segment", "UPDATE t_archive_segment SET month = '2001-01' WHERE segment = 1")();
    expect((await foundBy("segmentForged", "segment 1 of t_qiyu_currency_trade")).detail).toContain("its seal");
    await undo();
  });
});
