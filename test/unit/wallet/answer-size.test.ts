import { jsonBytes } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { LedgerServers } from "../../../services/wallet/buckets/ledger-servers.ts";
import { withinAnswer } from "../../../services/wallet/holds/answer-size.ts";
import { statementPage } from "../../../services/wallet/statement.ts";

const long = "o".repeat(64);

test("the answer about a refund whose coins went to thousands of anchors fits into a message and has their number", () => {
  const anchors = Array.from({ length: 20_000 }, (_, n) => {
    return {
      anchorId: String(9_000_000_000_000_000_000n + BigInt(n)),
      gifts: 1,
      coins: 1,
      share: 1,
      sharePoints: 100,
      state: "open" as const,
    };
  });
  const paidOff = Array.from({ length: 10_000 }, (_, n) => ({ orderId: `${long}${n}`, coins: 1 }));
  const numbers = { taken: 0, shortfall: 20_000, owing: 20_000, uncovered: 0 };
  const shares = { open: 20_000, held: 0, released: 0 };
  const all = { orderId: long, userId: "1", shares, ...numbers, time: "2026-01-01T00:00:00.000Z", anchors, paidOff };
  const answer = withinAnswer(all);
  expect(jsonBytes(answer)).toBeLessThanOrEqual(limits.bus.listBytes);
  expect([answer.anchorCount, answer.paidOffCount]).toEqual([20_000, 10_000]);
  expect(answer.anchors).toEqual(anchors.slice(0, answer.anchors.length));
  expect(answer.anchors.length).toBeGreaterThan(1_000);
  const few = withinAnswer({ ...all, anchors: anchors.slice(0, 3), paidOff: [] });
  expect([few.anchors.length, few.anchorCount]).toEqual([3, 3]);
});

test("a page of recharges that each paid off many debts fits into a message", async () => {
  const debts = Array.from({ length: 30_000 }, (_, n) => ({ biz_id: `refund:${long}${n}`, num: "1" }));
  const trades = Array.from({ length: 101 }, (_, n) => ({
    ...{ id: String(1_000 - n), num: "200", type: 2, status: 1, biz_id: `debt:${long}-${n}` },
    ...{ balance_after: "0", create_time: new Date() },
  }));
  const payments = trades.map(({ biz_id }) => ({ biz_id, num: "-200" }));
  const db = {
    query: async (sql: string) => (sql.includes("t_wallet_debt") ? [...debts, ...payments] : trades),
  };
  const { list } = await statementPage(LedgerServers.one({ mysql: db } as never), { userId: "1", limit: 100 });
  expect(list).toHaveLength(100);
  expect(list[0]?.debt).toMatchObject({ change: -200, orders: expect.any(Array) });
  expect(list[0]?.debt?.orders).toHaveLength(limits.wallet.debtOrdersShown);
  expect(jsonBytes(list)).toBeLessThanOrEqual(limits.bus.maxPayloadBytes - 1_000);
});
