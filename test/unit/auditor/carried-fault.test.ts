import { carriedFault, type KnownMove, type PlacedRow } from "../../../services/auditor/checks/carried-store.ts";

const user = String(251n * 9n + 4n);
const move: KnownMove = { bucket: 4, source: "home", target: "b" };
const left = (changed: object = {}, server = "home"): PlacedRow => ({
  server,
  row: { biz_id: `bucket-out:7:${user}`, user_id: user, num: "-30", type: 3, status: 1, ...changed },
});
const arrived = (changed: object = {}, server = "b"): PlacedRow => ({
  server,
  row: { biz_id: `bucket-in:7:${user}`, user_id: user, num: "30", type: 3, status: 1, ...changed },
});

describe("a posting of a move of a bucket", () => {
  test("is right with the one opposite row of the same user and coins on the move's other server", () => {
    expect(carriedFault(left(), move, [arrived()])).toBeUndefined();
    expect(carriedFault(arrived(), move, [left()])).toBeUndefined();
  });

  test.each<[string, PlacedRow, KnownMove | undefined, PlacedRow[]]>([
    ["a move that nobody planned", left(), undefined, [arrived()]],
    ["a move of another bucket", left(), { ...move, bucket: 5 }, [arrived()]],
    ["a move the other way", left(), { ...move, source: "b", target: "home" }, [arrived()]],
    ["another user than its id names", left({ user_id: "5" }), move, [arrived()]],
    ["another server than the move's", left({}, "c"), move, [arrived()]],
    ["coins that come where they leave", left({ num: "30" }), move, [arrived({ num: "-30" })]],
    ["another type", left({ type: 1 }), move, [arrived()]],
    ["a rejected row", left({ status: 0 }), move, [arrived()]],
    ["no opposite row", left(), move, []],
    ["two opposite rows", left(), move, [arrived(), arrived()]],
    ["an opposite row of other coins", left(), move, [arrived({ num: "31" })]],
    ["an opposite row of another user", left(), move, [arrived({ user_id: "5" })]],
    ["an opposite row on the same server", left(), move, [arrived({}, "home")]],
  ])("is wrong with %s", (_what, own, known, opposites) => {
    expect(carriedFault(own, known, opposites)).toBeDefined();
  });
});
