import { prepare } from "../../../services/staff/proposals/prepare.ts";
import { withinAnswer } from "../../../services/wallet/holds/answer-size.ts";
import { type AnchorPart, countShares, sharesIn } from "../../../services/wallet/holds/hold-decision.ts";
import type { HoldState } from "../../../services/wallet/holds/hold-state.ts";

/** The shares of one order whose anchors no answer has room for. */

const anchorCount = 3_000;
const orderId = "pay-order-1";
const reason = "fraud";
/** Moves of shares need none. */
const noDatabase = {} as never;

interface Asked {
  readonly anchorId?: string;
  readonly state?: HoldState;
}

/** A wallet with one gift of each anchor, whose every tenth has no share. */
function walletOf() {
  const anchors: AnchorPart[] = Array.from({ length: anchorCount }, (_, n) => ({
    anchorId: String(9_000_000_000_000_000_000n + BigInt(n)),
    ...{ parts: [], coins: 1, sharePoints: n % 10 === 0 ? 0 : 50, state: "open" },
  }));
  const calling = {
    async call(_action: string, { anchorId, state }: Asked) {
      const own = anchors.filter((anchor) => anchorId === undefined || anchor.anchorId === anchorId);
      const shown = (state ? sharesIn(own, state) : own).map(({ parts: _parts, ...anchor }) => anchor);
      const numbers = { taken: 0, shortfall: anchorCount, owing: 0, uncovered: 0, paidOff: [], time: "" };
      const shares = countShares(own);
      const list = shown.map((anchor) => ({ ...anchor, gifts: 1, share: 0 }));
      return {
        ...withinAnswer({ orderId, userId: "7", ...numbers, shares, anchors: list }),
        gifts: [],
        nextCursor: null,
      };
    },
  };
  return { anchors, calling: calling as never };
}

test.each([
  ["hold", "open", "held"],
  ["releaseHold", "held", "released"],
] as const)(
  "a %s of all shares moves every one in several calls, and is a repeat only where none is left",
  async (kind, from, to) => {
    const { anchors, calling } = walletOf();
    for (const anchor of anchors) anchor.state = from;
    const moved: number[] = [];
    for (;;) {
      const prepared = await prepare(calling, noDatabase, { kind, orderId, reason }, "staff:ada");
      if ("result" in prepared) {
        expect(prepared.result).toMatchObject({ shares: { [from]: 0, [to]: 2_700 }, anchorCount });
        break;
      }
      const ids = new Set("anchorIds" in prepared.instruction ? prepared.instruction.anchorIds : []);
      expect([ids.size > 0, moved.length < 10]).toEqual([true, true]);
      for (const anchor of anchors) if (ids.has(anchor.anchorId)) anchor.state = to;
      moved.push(ids.size);
    }
    expect(moved.length).toBeGreaterThan(1);
    expect(moved.reduce((sum, one) => sum + one, 0)).toBe(2_700);
  },
);

test("the share of one anchor is held whatever her place, and one without a share is refused", async () => {
  const { anchors, calling } = walletOf();
  const [last, none] = [anchors.at(-1) as AnchorPart, anchors[0] as AnchorPart];
  const hold = (anchorId: string) =>
    prepare(calling, noDatabase, { kind: "hold", orderId, anchorId, reason }, "staff:ada");
  expect(await hold(last.anchorId)).toMatchObject({
    instruction: { anchorIds: [last.anchorId] },
    userId: last.anchorId,
  });
  last.state = "held";
  expect(await hold(last.anchorId)).toMatchObject({ result: { anchorCount: 1 } });
  await expect(hold(none.anchorId)).rejects.toMatchObject({ type: "holdState" });
});
