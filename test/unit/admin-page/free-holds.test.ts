/** Holds of free income, as the page finds them in an anchor's postings. */
import { freeHoldId, freeReleaseId, payoutPostingId } from "../../../services/wallet/business-ids.ts";

type Posting = { bizId: string; status: number };
const { openHolds, holdIdOf, longestHoldId } = require("../../../admin-page/js/free-holds.js") as {
  openHolds(): (posting: Posting) => string | undefined;
  holdIdOf(text: string): string;
  longestHoldId(idChars: number): number;
};
const posting = (bizId: string, status = 1): Posting => ({ bizId, status });

describe("a hold of free income", () => {
  test("is found by the business id of its posting, in full or as it is", () => {
    const id = "hold-0123456789abcdef";
    expect(openHolds()(posting(freeHoldId(id)))).toBe(id);
    expect([holdIdOf(freeHoldId(id)), holdIdOf(id)]).toEqual([id, id]);
    expect(longestHoldId(id.length)).toBe(freeHoldId(id).length);
  });

  test("is not offered again where a newer posting released it, nor where it was rejected", () => {
    const holdOf = openHolds();
    expect([freeReleaseId("a"), freeHoldId("b"), freeHoldId("a")].map((id) => holdOf(posting(id)))).toEqual([
      ...[undefined, "b", undefined],
    ]);
    expect(openHolds()(posting(freeHoldId("a"), 0))).toBeUndefined();
    expect(openHolds()(posting(payoutPostingId("a")))).toBeUndefined();
  });
});
