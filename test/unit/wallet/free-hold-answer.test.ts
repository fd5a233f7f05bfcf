import { LedgerServers } from "../../../services/wallet/buckets/ledger-servers.ts";
import { holdFree, releaseFree } from "../../../services/wallet/holds/free-holds.ts";

/** A database of several nodes: what one connection has committed, the others do not see yet. */
function blindWallet() {
  const postings: Record<string, unknown>[] = [];
  const tx = {
    async query(sql: string, [key]: unknown[]): Promise<Record<string, unknown>[]> {
      if (sql.includes("t_income_posting")) return postings.filter(({ biz_id }) => biz_id === key);
      return [{ earned_points: "10000", held_points: "0", paid_out_points: "0" }];
    },
    async run(sql: string, values: unknown[]) {
      if (sql.includes("INSERT INTO t_income_posting")) {
        const [anchor_id, kind, points, status, biz_id, order_id, reason, create_time] = values;
        postings.push({ anchor_id, kind, points, status, biz_id, order_id, reason, create_time });
      }
      return { affectedRows: 2, insertId: postings.length };
    },
  };
  const sealing = { time: async () => new Date(), cover: () => undefined };
  const seals = {
    transaction: (_mysql: unknown, work: (...given: unknown[]) => unknown) => work(tx, sealing),
  };
  return { postings, tx, wallet: (mysql: unknown) => LedgerServers.one({ seals, mysql } as never) };
}

test("a hold of free income that no other connection sees yet is answered as it is, and not refused", async () => {
  const { postings, wallet, tx } = blindWallet();
  const blind = wallet({ query: async () => [] });
  const hold = { userId: "77", points: 700, holdId: "h-1", reason: "fraud" };
  for (let time = 0; time < 2; time++)
    expect(await holdFree(blind, hold)).toMatchObject({ holdId: "h-1", userId: "77", points: 700, state: "held" });
  expect(postings).toHaveLength(1);
  const first = await tx.query("t_income_posting", [postings[0]?.biz_id]);
  // It sees the hold, and not the release.
  const half = wallet({
    query: async (_sql: string, [key]: unknown[]) => first.filter(({ biz_id }) => biz_id === key),
  });
  expect(await releaseFree(half, { holdId: "h-1", reason: "paid after all" })).toMatchObject({ state: "released" });
  expect(await holdFree(blind, hold)).toMatchObject({ state: "released" });
  await expect(holdFree(blind, { ...hold, points: 701 })).rejects.toMatchObject({ type: "idempotencyConflict" });
});
