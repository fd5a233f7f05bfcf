import { plan } from "../../../bench/scale/history.ts";
import { indexClauses } from "../../../bench/scale/indexes.ts";

describe("filling the books for the benchmark of scale", () => {
  it("the history is a recharge for each account and pairs of a recharge and a gift", () => {
    expect(plan(10_000, 1_000_000)).toEqual({
      ...{ accounts: 10_000, trades: 1_000_000, gifts: 495_000, archivedGifts: 0 },
    });
    expect(plan(10, 15)).toEqual({ accounts: 10, trades: 14, gifts: 2, archivedGifts: 0 });
  });

  it("all but the newest trades are archived, in whole pairs", () => {
    expect(plan(100, 1_000, 300)).toEqual({ accounts: 100, trades: 1_000, gifts: 450, archivedGifts: 300 });
  });

  it("there are never fewer trades than accounts", () => {
    expect(plan(100, 10)).toEqual({ accounts: 100, trades: 100, gifts: 0, archivedGifts: 0 });
  });

  it("indexes are added again with their columns in order, except the primary key", () => {
    const column = (Key_name: string, Non_unique: number, Seq_in_index: number, Column_name: string) => {
      return { Key_name, Non_unique, Seq_in_index, Column_name };
    };
    expect(
      indexClauses([
        column("PRIMARY", 0, 1, "id"),
        column("idx_user", 1, 2, "id"),
        column("idx_user", 1, 1, "user_id"),
        column("uk_biz_id", 0, 1, "biz_id"),
      ]),
    ).toEqual([
      { name: "idx_user", clause: "ADD KEY idx_user (user_id, id)" },
      { name: "uk_biz_id", clause: "ADD UNIQUE KEY uk_biz_id (biz_id)" },
    ]);
  });
});
