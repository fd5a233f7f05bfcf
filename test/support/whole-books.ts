import { databaseName } from "../../config/config.ts";
import { expectBooksBalanced, type Query, snapshot } from "./books.ts";
import { eventually } from "./eventually.ts";

/**
 * The books of all services against each other, over all rows, for the end of a test file: what the wallet says of
 * itself, the shares of every gift, and that records, orders and trades tell the same story, each once. What is on its
 * way at the start is waited for; others may send more meanwhile, which is theirs to wait for.
 */
export async function expectWholeBooksBalanced(): Promise<void> {
  await expectBooksBalanced();
  await snapshot("wallet", async (query) => {
    for (const [what, sql] of Object.entries(contradictions()))
      expect({ [what]: await query(`${sql} LIMIT 5`) }).toEqual({ [what]: [] });
    await checkShares(query);
  });
  const open = await snapshot("wallet", (query) => Promise.all(gaps().map((gap) => waitingAt(query, gap))));
  await eventually("everything on its way has arrived in all books", () => allClosed(open), 15_000);
}

/** Whether of what was on its way nothing is any more, in one moment. */
function allClosed(open: readonly string[][]): Promise<boolean> {
  return snapshot("wallet", async (query) => {
    for (const [at, gap] of gaps().entries()) if ((await waitingAt(query, gap, open[at])).length > 0) return false;
    return true;
  });
}

/** The ids of the rows that wait, or of those `among` them that do. */
async function waitingAt(query: Query, { id, sql }: Gap, among?: readonly string[]): Promise<string[]> {
  if (among?.length === 0) return [];
  const found = await query<{ id: string }>(
    `SELECT ${id} AS id ${sql}${among ? ` AND ${id} IN (?)` : ""}`,
    among ? [among] : [],
  );
  return found.map((row) => row.id);
}

/** Those of closed months may be archived. */
const trades = "(SELECT * FROM t_qiyu_currency_trade UNION ALL SELECT * FROM t_qiyu_currency_trade_archive) t";
const records = () => {
  const table = `${databaseName("gift")}.t_gift_record`;
  return `(SELECT * FROM ${table} UNION ALL SELECT * FROM ${table}_archive) r`;
};
const orders = () => `${databaseName("payment")}.t_pay_order o`;

/** Rows that must never be seen together, at no moment. */
function contradictions(): Record<string, string> {
  return {
    "a record that its trade does not bear out": `SELECT r.order_id FROM ${records()}
       LEFT JOIN ${trades} ON t.biz_id = r.order_id AND t.type = 0 AND t.user_id = r.user_id AND t.status = r.status
         AND -t.num = r.price * CAST(r.count AS SIGNED) AND t.counterparty_id = r.object_id AND t.counterparty_income_points = r.income_points
         AND t.counterparty_income = r.income
       WHERE t.id IS NULL`,
    "a recharge without a paid order of its amount": `SELECT t.biz_id FROM ${trades}
       LEFT JOIN ${orders()} ON o.order_id = t.biz_id AND o.user_id = t.user_id AND o.coins = t.num AND o.status IN (2, 5)
       WHERE t.type = 1 AND t.biz_id NOT LIKE 'platform:%' AND o.id IS NULL`,
    ...platformContradictions(),
    "a refund without a refunded order": `SELECT t.biz_id FROM ${trades}
       LEFT JOIN ${orders()} ON t.biz_id = CONCAT('refund:', o.order_id) AND o.user_id = t.user_id AND o.status = 5
       WHERE t.type = 2 AND t.biz_id LIKE 'refund:%' AND o.id IS NULL`,
    "income held back for an order that is not refunded": `SELECT h.biz_id FROM t_income_posting h
       LEFT JOIN ${orders()} ON o.order_id = h.order_id AND o.status = 5 WHERE h.kind IN (1, 2) AND o.id IS NULL
         AND h.order_id IS NOT NULL`,
    "a gift to an anchor without a share of her own of which she has not the half": `SELECT t.biz_id FROM ${trades}
       LEFT JOIN ${databaseName("gift")}.t_anchor_share s ON s.anchor_id = t.counterparty_id
       WHERE t.type = 0 AND s.id IS NULL AND t.counterparty_income_points <> IF(t.status = 1, -t.num * 50, 0)`,
    "an amount that has no place in a ledger": `SELECT t.biz_id FROM ${trades}
       WHERE t.num = 0 OR ABS(t.num) > 9007199254740991 OR (t.type = 0 AND t.num > 0) OR (t.type = 1 AND t.num < 0)
         OR t.type NOT IN (0, 1, 2, 3)`,
  };
}

const ordered = () => `${databaseName("platform")}.t_money_order`;
const states = () => `${databaseName("platform")}.t_money_state`;

/** Of the platform's orders and their rows in the ledgers, both ways: a proposal and a declined order have none. */
function platformContradictions(): Record<string, string> {
  return {
    "a credit or adjustment that the platform did not order": `SELECT t.biz_id FROM ${trades}
       LEFT JOIN ${ordered()} m ON m.biz_id = t.biz_id AND m.user_id = t.user_id AND m.amount = t.num
         AND m.kind = IF(t.type = 1, 0, 1)
       LEFT JOIN ${states()} s ON s.order_id = m.id AND s.state IN (1, IF(t.status = 1, 2, 3))
       WHERE ((t.type = 1 AND t.biz_id LIKE 'platform:%') OR t.type = 3) AND s.order_id IS NULL`,
    "a payout that the platform did not order": `SELECT p.biz_id FROM t_income_posting p
       LEFT JOIN ${ordered()} m ON m.biz_id = p.biz_id AND m.user_id = p.anchor_id AND m.amount = -p.points AND m.kind = 2
       LEFT JOIN ${states()} s ON s.order_id = m.id AND s.state IN (1, IF(p.status = 1, 2, 3))
       WHERE p.kind = 3 AND p.biz_id NOT LIKE 'payout:%' AND s.order_id IS NULL`,
    "an order of the platform that is done, or refused for the balance, and in no ledger": `SELECT m.biz_id
       FROM ${ordered()} m JOIN ${states()} s ON s.order_id = m.id
       LEFT JOIN ${trades} ON t.biz_id = m.biz_id AND m.kind <> 2 AND t.user_id = m.user_id AND t.num = m.amount
         AND t.status = IF(s.state = 2, 1, 0)
       LEFT JOIN t_income_posting p ON p.biz_id = m.biz_id AND m.kind = 2 AND p.anchor_id = m.user_id
         AND -p.points = m.amount AND p.status = IF(s.state = 2, 1, 0)
       WHERE (s.state = 2 OR s.refusal = 'balanceShort') AND t.id IS NULL AND p.id IS NULL`,
    "an order of the platform without a state": `SELECT m.biz_id FROM ${ordered()} m
       LEFT JOIN ${states()} s ON s.order_id = m.id WHERE s.order_id IS NULL`,
  };
}

/** The platform's orders against the ledgers, over all rows, for tests without a payment service. */
export function expectOrdersAndLedgersAgree(): Promise<void> {
  return snapshot("wallet", async (query) => {
    for (const [what, sql] of Object.entries(platformContradictions()))
      expect({ [what]: await query(`${sql} LIMIT 5`) }).toEqual({ [what]: [] });
  });
}

/** Rows that wait for another service, each of which is closed sooner or later: what identifies one, and where they are. */
interface Gap {
  readonly id: string;
  readonly sql: string;
}

/**
 * Charged gifts without their records, paid orders without their coins, refunded orders whose coins were not taken back,
 * pending orders of the platform.
 */
function gaps(): Gap[] {
  return [
    { id: "s.order_id", sql: `FROM ${states()} s WHERE s.state = 1` },
    {
      id: "t.biz_id",
      sql: `FROM ${trades} LEFT JOIN ${records()} ON r.order_id = t.biz_id WHERE t.type = 0 AND r.id IS NULL`,
    },
    {
      id: "o.order_id",
      sql: `FROM ${orders()} LEFT JOIN ${trades} ON t.biz_id = o.order_id AND t.type = 1
       WHERE o.status IN (2, 5) AND t.id IS NULL`,
    },
    {
      id: "o.order_id",
      sql: `FROM ${orders()} LEFT JOIN ${trades} ON t.biz_id = CONCAT('refund:', o.order_id)
       LEFT JOIN t_wallet_debt d ON d.biz_id = CONCAT('refund:', o.order_id)
       WHERE o.status = 5 AND COALESCE(IF(t.status = 1, -t.num, 0), 0) + COALESCE(d.num, 0) <> o.coins`,
    },
  ];
}

/**
 * Gifts sent = anchors' free income + what is held back of it + what was paid out + the platform's share, in points; nothing
 * but free income may be below zero. Income that is not rolled up yet is income: `expectBooksBalanced` holds it against the
 * trades.
 */
async function checkShares(query: Query): Promise<void> {
  const [sums] = await query<Record<"gifts" | "earned" | "platform" | "held" | "paid_out", string>>(
    `SELECT COALESCE(SUM(-num * 100), 0) AS gifts, COALESCE(SUM(counterparty_income_points), 0) AS earned,
       COALESCE(SUM(-num * 100 - counterparty_income_points), 0) AS platform,
       (SELECT COALESCE(SUM(-points), 0) FROM t_income_posting WHERE kind IN (1, 2) AND status = 1) AS held,
       (SELECT COALESCE(SUM(-points), 0) FROM t_income_posting WHERE kind = 3 AND status = 1) AS paid_out
     FROM ${trades} WHERE type = 0 AND status = 1`,
  );
  const [gifts, earned, platform, held, paidOut] = [
    ...[sums?.gifts, sums?.earned, sums?.platform, sums?.held, sums?.paid_out],
  ].map((points) => BigInt(points ?? 0)) as [bigint, bigint, bigint, bigint, bigint];
  const free = earned - held - paidOut;
  expect(gifts).toBe(free + held + paidOut + platform);
  for (const part of [earned, held, paidOut, platform]) expect(part >= 0n).toBe(true);
}
