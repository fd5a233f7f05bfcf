import fc from "fast-check";
import { holdId, releaseHoldId } from "../../../services/wallet/business-ids.ts";
import type { GiftPart } from "../../../services/wallet/holds/attribution.ts";
import { anchorsOf, decideHold, type HoldRow } from "../../../services/wallet/holds/hold-decision.ts";
import { type HoldState, mayMove } from "../../../services/wallet/holds/hold-state.ts";

const order = "order-1";
let next = 0;
const part = (anchorId: string, sharePoints: number): GiftPart => {
  const id = String(next++);
  const gift = {
    kind: "gift" as const,
    id,
    orderId: `gift-${id}`,
    anchorId,
    coins: 100,
    sharePercent: 50,
    time: new Date(0),
  };
  return { gift, coinsFrom: 0, coins: sharePoints * 2, sharePoints };
};

describe("the state of a share", () => {
  test("moves from open to held to released, and nowhere else", () => {
    const states: HoldState[] = ["open", "held", "released"];
    const allowed = states.flatMap((from) => states.filter((to) => mayMove(from, to)).map((to) => `${from} ${to}`));
    expect(allowed).toEqual(["open held", "held released"]);
  });

  test("comes from the order's postings, by anchor in the order of their ids", () => {
    const parts = [part("8", 1), part("9", 2), part("10", 3), part("8", 4)];
    const rows = [
      { bizId: holdId(order, "9"), anchorId: "9", points: -2 },
      { bizId: holdId(order, "10"), anchorId: "10", points: -3 },
      { bizId: releaseHoldId(order, "10"), anchorId: "10", points: 3 },
    ];
    expect(anchorsOf(order, parts, rows)).toMatchObject([
      { anchorId: "8", state: "open", sharePoints: 5, coins: 10 },
      { anchorId: "9", state: "held", sharePoints: 2 },
      { anchorId: "10", state: "released", sharePoints: 3 },
    ]);
  });
});

describe("an operator's decision", () => {
  const parts = [part("8", 5), part("9", 2), part("10", 0)];

  test("holds the share of every anchor or of the named one, and skips anchors without a share", () => {
    const anchors = anchorsOf(order, parts, []);
    expect(decideHold(order, anchors, "held")).toMatchObject([
      { kind: "hold", bizId: "hold:order-1:8", points: -5 },
      { kind: "hold", bizId: "hold:order-1:9", points: -2 },
    ]);
    expect(decideHold(order, anchors, "held", ["9"])).toMatchObject([{ bizId: "hold:order-1:9", points: -2 }]);
  });

  test.each<[string, "held" | "released", string | undefined]>([
    ["an anchor who got none of it", "held", "77"],
    ["an anchor without a share", "held", "10"],
    ["a share that was never held", "released", "8"],
    ["shares that were never held", "released", undefined],
  ])("cannot be made about %s", (_what, to, anchorId) => {
    expect(
      decideHold(order, anchorsOf(order, parts, []), to, anchorId === undefined ? undefined : [anchorId]),
    ).toBeNull();
  });

  test("repeated and reversed in any order, holds each share once and releases it once, for ever", () => {
    const decision = fc.record({
      to: fc.constantFrom("held" as const, "released" as const),
      anchorId: fc.constantFrom(undefined, "8", "9", "10"),
    });
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 12 }), (decisions) => {
        const rows: HoldRow[] = [];
        for (const { to, anchorId } of decisions) {
          const before = new Map(anchorsOf(order, parts, rows).map((anchor) => [anchor.anchorId, anchor.state]));
          const moves =
            decideHold(order, anchorsOf(order, parts, rows), to, anchorId === undefined ? undefined : [anchorId]) ?? [];
          for (const move of moves) expect(mayMove(before.get(move.anchorId) as HoldState, to)).toBe(true);
          rows.push(...moves);
          // A repeat writes nothing.
          expect(
            decideHold(order, anchorsOf(order, parts, rows), to, anchorId === undefined ? undefined : [anchorId]) ?? [],
          ).toEqual([]);
        }
        expect(new Set(rows.map(({ bizId }) => bizId)).size).toBe(rows.length);
        for (const [anchorId, share] of [
          ["8", 5],
          ["9", 2],
        ] as const) {
          const held = rows.filter((row) => row.anchorId === anchorId).reduce((sum, { points }) => sum - points, 0);
          expect(held === 0 || held === share).toBe(true);
        }
      }),
    );
  });
});
