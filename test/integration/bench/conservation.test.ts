import { type Connection, createConnection } from "mysql2/promise";
import { fillBooks } from "../../../bench/scale/fill.ts";
import { plan } from "../../../bench/scale/history.ts";
import { conservationProblems, productBooks } from "../../../bench/support/conservation.ts";
import { makeTables } from "../../../bench/support/seed.ts";
import { config, databaseName } from "../../../config/config.ts";
import { stopAll } from "../../support/system.ts";

/** What the benchmarks' check of the books finds, on books that add up until a row is changed. */
describe("the conservation check of the benchmarks", () => {
  const past = plan(10, 50);
  let connection: Connection;
  const problems = () => conservationProblems(productBooks(past.gifts));

  beforeAll(async () => {
    await makeTables();
    connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  });
  beforeEach(() => fillBooks(past, () => {}));
  afterAll(async () => {
    await connection.end();
    await stopAll();
  });

  it("finds nothing in books that were filled in", async () => {
    expect(past).toEqual({ accounts: 10, trades: 50, gifts: 20, archivedGifts: 0 });
    const [[counts]] = (await connection.query(
      `SELECT (SELECT COUNT(*) FROM t_qiyu_currency_trade) AS trades,
         (SELECT COUNT(*) FROM ${databaseName("gift")}.t_gift_record) AS records`,
    )) as unknown as [[{ trades: number; records: number }]];
    expect(counts).toEqual({ trades: 50, records: 20 });
    expect(await problems()).toEqual([]);
  });

  it("finds nothing in books of which a part is archived, and a row that is missing there", async () => {
    const old = plan(10, 50, 20);
    await fillBooks(old, () => {});
    const all = () => conservationProblems(productBooks(old.gifts));
    const [[counts]] = (await connection.query(
      `SELECT (SELECT COUNT(*) FROM t_qiyu_currency_trade_archive) AS archived, (SELECT MIN(id) FROM t_qiyu_currency_trade) AS first,
         (SELECT SUM(row_count) FROM t_archive_segment) AS counted, (SELECT SUM(trades) FROM t_trade_archive_sum) AS summed`,
    )) as unknown as [[Record<string, unknown>]];
    expect(Object.values(counts).map(Number)).toEqual([30, 31, 30, 30]);
    const [differing] = await connection.query(
      `SELECT * FROM t_trade_archive_sum s LEFT JOIN
         (SELECT user_id, COUNT(*) AS trades, SUM(num) AS num, SUM(IF(type = 1, num, 0)) AS charged, MAX(id) AS last_id
          FROM t_qiyu_currency_trade_archive GROUP BY user_id) t USING (user_id, trades, num, charged, last_id)
       WHERE t.user_id IS NULL`,
    );
    expect(differing).toEqual([]);
    expect(await all()).toEqual([]);
    await connection.query("DELETE FROM t_qiyu_currency_trade_archive WHERE type = 0 LIMIT 1");
    expect((await all()).join("\n")).toMatch(/valid gift trades/);
  });

  it("keeps the tables' indexes", async () => {
    const [indexes] = await connection.query(
      "SHOW INDEX FROM t_qiyu_currency_trade WHERE Key_name = 'uk_biz_id' AND Non_unique = 0",
    );
    expect(indexes).toHaveLength(1);
  });

  const record = () => `${databaseName("gift")}.t_gift_record`;
  it.each<[string, () => string, RegExp]>([
    [
      "a balance that is not the sum of its trades",
      () => "UPDATE t_qiyu_currency_account SET current_balance = current_balance + 1 LIMIT 1",
      /users whose balance/,
    ],
    [
      "coins moved from one account to another",
      () => `UPDATE t_qiyu_currency_account SET current_balance = current_balance +
        IF(user_id = 100000000000000000, 5, IF(user_id = 100000000000000001, -5, 0))`,
      /users whose balance/,
    ],
    [
      "an account with coins and no trade",
      () => "INSERT INTO t_qiyu_currency_account (user_id, current_balance) VALUES (7, 100)",
      /balances, valid trades/,
    ],
    [
      "a trade without an account",
      () => `INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after)
        VALUES (8, 100, 1, 1, 'nobody', 100)`,
      /users whose balance/,
    ],
    [
      "a gift that was charged twice",
      () => `INSERT INTO t_qiyu_currency_trade
          (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points, balance_after)
        SELECT user_id, num, type, status, 'again', counterparty_id, counterparty_income_points, balance_after
        FROM t_qiyu_currency_trade WHERE type = 0 LIMIT 1`,
      /valid gift trades/,
    ],
    ["a gift without a record", () => `DELETE FROM ${record()} LIMIT 1`, /gift records/],
    [
      "records of two gifts that were exchanged",
      () => `UPDATE ${record()} SET object_id = object_id + IF(id = 1, 1, IF(id = 2, -1, 0))`,
      /content of the records/,
    ],
    [
      "an anchor's income that is short",
      () => "UPDATE t_anchor_income SET earned_points = earned_points - 1 LIMIT 1",
      /incomes/,
    ],
    [
      "an income that went to another anchor",
      () => `UPDATE t_anchor_income SET earned_points = earned_points +
        IF(user_id = 200000000000000001, 5, IF(user_id = 200000000000000002, -5, 0))`,
      /anchors whose income/,
    ],
    [
      "incomes that were not added up",
      () => "INSERT INTO t_anchor_income_pending (incomes) VALUES ('[]')",
      /still to be rolled up/,
    ],
    [
      "an anchor of whom more is held back than was earned",
      () => "UPDATE t_anchor_income SET held_points = earned_points + 1 LIMIT 1",
      /more held back/,
    ],
    [
      "income that is held back for no gift",
      () => `INSERT INTO t_income_posting (anchor_id, kind, points, biz_id, order_id, reason)
        SELECT user_id, 1, -1, 'hold:o:b', 'o', 'r' FROM t_anchor_income LIMIT 1`,
      /what is held back, the held/,
    ],
    [
      "a payout that is not in the ledger",
      () => "UPDATE t_anchor_income SET paid_out_points = 1 LIMIT 1",
      /totals are not the sums of their postings/,
    ],
    [
      "a posting of somebody without income",
      () => "INSERT INTO t_income_posting (anchor_id, kind, points, biz_id) VALUES (9, 0, 5, 'gifts:1:9')",
      /free incomes, postings/,
    ],
    [
      "points that one book has and the other has not, within a coin",
      () => `UPDATE ${record()} SET income_points = income_points + 1 LIMIT 1`,
      /content of the records/,
    ],
    [
      "an anchor who got more than was sent",
      () => "UPDATE t_qiyu_currency_trade SET counterparty_income_points = 9001 WHERE type = 0 LIMIT 1",
      /the anchor got more/,
    ],
  ])("finds %s", async (_what, change, problem) => {
    await connection.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
    await connection.query("DELETE FROM t_anchor_income_pending");
    await connection.query(change());
    expect((await problems()).join("\n")).toMatch(problem);
  });
});
