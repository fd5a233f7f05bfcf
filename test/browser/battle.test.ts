/** What the page makes of the frames of a battle and of combos. No browser is needed. */
import { loadPageModule } from "./page-module.ts";

interface Side {
  roomId: number;
  userId: string;
  score: number;
}
interface View {
  battleId: string;
  kind: string;
  state: string;
  sides: Side[];
  endTime: string | null;
  serverTime: string;
}
interface Battle {
  readonly view: View;
  readonly over: boolean;
  take(view: unknown): boolean;
  takeScores(frame: object): "taken" | "ignored" | "unknown";
  phase(): { phase: string; leftMs?: number };
  dismiss(): void;
}
interface BattleModule {
  createBattle(now: () => number): Battle;
  sidesFor(view: { sides: Side[] }, roomId: number, anchorId: string): Side[];
  shareOf(first: number, second: number): number;
  clockText(ms: number): string;
}

const { createBattle, sidesFor, shareOf, clockText } = loadPageModule<BattleModule>("js/battle.js");
const { createStreaks } = loadPageModule<{ createStreaks: () => (gift: object) => number | undefined }>(
  "js/streaks.js",
);

const START = Date.parse("2026-03-01T12:00:00.000Z");
const BATTLE_MS = 300_000;
const iso = (ms: number): string => new Date(START + ms).toISOString();

describe("a battle on the page", () => {
  let now: number; // of the page's own clock, which began somewhere else
  let battle: Battle;

  beforeEach(() => {
    now = 7_000;
    battle = createBattle(() => now);
  });

  /** A view that the server made `at` ms after the start. */
  const view = (state: string, at: number, scores = [0, 0], more: object = {}) => ({
    ...{ battleId: "9007199254740993", kind: "rooms", state, winner: null, excluded: [] },
    sides: scores.map((score, index) => ({ roomId: index + 1, userId: String(index + 11), score })),
    startTime: iso(0),
    ...{ endTime: iso(BATTLE_MS), serverTime: iso(at) },
    ...more,
  });
  const scores = (first: number, second: number, remainingMs: number, more: object = {}) => ({
    battleId: "9007199254740993",
    scores: [
      { userId: "11", score: first },
      { userId: "12", score: second },
    ],
    remainingMs,
    ...more,
  });
  const shown = () => battle.view.sides.map(({ score }) => score);

  test("counts down by the server's clock, and marks the last 30 seconds and the counting", () => {
    battle.take(view("running", 10_000));
    expect(battle.phase()).toEqual({ phase: "running", leftMs: 290_000 });
    now += 259_999;
    expect(battle.phase()).toEqual({ phase: "running", leftMs: 30_001 });
    now += 1;
    expect(battle.phase()).toEqual({ phase: "last", leftMs: 30_000 });
    now += 30_000;
    expect(battle.phase()).toEqual({ phase: "counting" });
    battle.take(view("settling", BATTLE_MS));
    expect(battle.phase()).toEqual({ phase: "counting" });
  });

  test("measures the server's clock by the frame that was under way for the shortest time", () => {
    battle.take(view("running", 10_000));
    now += 5_000;
    battle.takeScores(scores(0, 0, 290_000 - 5_600));
    expect(battle.phase().leftMs).toBe(284_400);
    battle.takeScores(scores(0, 0, 290_000)); // five seconds late
    battle.take(view("running", 11_000));
    expect(battle.phase().leftMs).toBe(284_400);
  });

  test("measures the clock anew for each battle", () => {
    battle.take(view("running", 10_000));
    battle.take(view("ended", 20_000));
    now += 20_000; // The page's clock ran ahead by ten seconds.
    battle.take(view("running", 20_000, [0, 0], { battleId: "10" }));
    expect(battle.phase().leftMs).toBe(280_000);
  });

  test("shows scores that only rise while it runs, and those of the result as they are", () => {
    battle.take(view("running", 0, [5, 5]));
    expect(battle.takeScores(scores(30, 20, 1_000))).toBe("taken");
    expect(battle.takeScores(scores(10, 25, 2_000))).toBe("taken");
    expect(shown()).toEqual([30, 25]);
    battle.take(view("settling", BATTLE_MS, [20, 40]));
    expect(shown()).toEqual([30, 40]);
    expect(battle.takeScores(scores(35, 10, 0))).toBe("taken");
    expect(shown()).toEqual([35, 40]);
    battle.take(view("ended", BATTLE_MS + 500, [34, 39]));
    expect(shown()).toEqual([34, 39]);
    expect(battle.takeScores(scores(50, 50, 0))).toBe("ignored");
    expect(shown()).toEqual([34, 39]);
  });

  test("does not go back to a state that a late or repeated frame tells", () => {
    expect(battle.take(view("invited", 0))).toBe(true);
    expect(battle.take(view("running", 1_000))).toBe(true);
    expect(battle.take(view("invited", 0))).toBe(false);
    expect(battle.take(view("ended", 2_000))).toBe(true);
    expect(battle.take(view("settling", 9_000))).toBe(false);
    expect(battle.take(view("ended", 1_500))).toBe(false);
    expect(battle.view.state).toBe("ended");
  });

  test("is replaced by a later battle alone, and an ended one is not shown to who enters", () => {
    expect(battle.take(view("ended", 5_000, [1, 2], { battleId: "8" }))).toBe(false);
    expect(battle.over).toBe(true);
    battle.take(view("running", 10_000, [3, 4]));
    expect(battle.take(view("running", 9_000, [0, 0], { battleId: "8" }))).toBe(false);
    expect(battle.take(view("ended", 20_000, [0, 0], { battleId: "8" }))).toBe(false);
    expect(battle.take(view("invited", 20_000, [0, 0], { battleId: "10" }))).toBe(true);
    expect(battle.view.battleId).toBe("10");
  });

  test("shows an invitation for 30 seconds and a result for 60, or until it is closed", () => {
    battle.take(view("invited", 0));
    now += 29_999;
    expect(battle.phase()).toEqual({ phase: "invited", leftMs: 1 });
    now += 1;
    expect(battle.phase()).toEqual({ phase: "none" });
    battle.take(view("running", 31_000));
    battle.take(view("ended", BATTLE_MS));
    now += 59_999;
    expect(battle.phase().phase).toBe("ended");
    now += 1;
    expect(battle.phase().phase).toBe("none");
    expect(battle.over).toBe(true);

    battle.take(view("running", BATTLE_MS + 70_000, [0, 0], { battleId: "10" }));
    battle.take(view("ended", BATTLE_MS + 80_000, [0, 0], { battleId: "10" }));
    battle.dismiss();
    expect(battle.phase().phase).toBe("none");
    battle.take(view("running", BATTLE_MS + 90_000, [0, 0], { battleId: "11", endTime: iso(2 * BATTLE_MS) }));
    expect(battle.phase().phase).toBe("running");
  });

  test.each(["declined", "cancelled", "expired"])("is over when the invitation is %s", (state) => {
    battle.take(view("invited", 0));
    expect(battle.take(view(state, 1_000))).toBe(true);
    expect(battle.phase()).toEqual({ phase: "none" });
    expect(battle.over).toBe(true);
  });

  test("ignores what is no battle, and names scores of an unknown one", () => {
    for (const nonsense of [
      undefined,
      null,
      {},
      { ...view("running", 0), state: "toString" },
      { battleId: "1" },
      { ...view("running", 0), sides: [{}, 5] },
    ])
      expect(battle.take(nonsense)).toBe(false);
    expect(battle.takeScores(scores(1, 2, 3))).toBe("unknown");
    battle.take(view("running", 0));
    expect(battle.takeScores(scores(1, 2, 3, { battleId: "8" }))).toBe("unknown");
    expect(battle.takeScores(scores(1, 2, 3, { scores: undefined }))).toBe("taken");
    expect(battle.takeScores(scores(1, 2, 3, { scores: [{ userId: "11", score: "many" }] }))).toBe("taken");
    expect(shown()).toEqual([0, 0]);
  });
});

test("a page shows its own room first, and in one room the anchor", () => {
  const rooms = [
    { roomId: 1, userId: "11", score: 0 },
    { roomId: 2, userId: "12", score: 0 },
  ];
  const users = (sides: Side[]) => sides.map(({ userId }) => userId);
  expect(users(sidesFor({ sides: rooms }, 1, "11"))).toEqual(["11", "12"]);
  expect(users(sidesFor({ sides: rooms }, 2, "12"))).toEqual(["12", "11"]);
  const guest = rooms.map((side) => ({ ...side, roomId: 2 })).reverse();
  expect(users(sidesFor({ sides: guest }, 2, "11"))).toEqual(["11", "12"]);
});

test("the bar is divided by the scores, and each side keeps a little of it", () => {
  expect(shareOf(0, 0)).toBe(50);
  expect(shareOf(30, 10)).toBe(75);
  expect(shareOf(0, 10)).toBe(4);
  expect(shareOf(1_000_000, 1)).toBe(96);
});

test("the clock shows a second until it is over", () => {
  expect([244_001, 60_000, 1, 0, -5].map(clockText)).toEqual(["4:05", "1:00", "0:01", "0:00", "0:00"]);
});

describe("streaks of gifts", () => {
  test("count up, also where a frame is late", () => {
    const reach = createStreaks();
    const pieces = [7, 21, 14].map((count) => reach({ combo: { id: "a", count } }));
    expect(pieces).toEqual([7, 21, 21]);
    expect(reach({ combo: { id: "b", count: 2 } })).toBe(2);
    expect(reach({})).toBeUndefined();
    expect(reach({ combo: { id: 5, count: "x" } })).toBeUndefined();
  });

  test("are remembered for the latest 500", () => {
    const reach = createStreaks();
    reach({ combo: { id: "first", count: 9 } });
    for (let number = 0; number < 500; number += 1) reach({ combo: { id: String(number), count: 1 } });
    expect(reach({ combo: { id: "first", count: 1 } })).toBe(1);
  });
});
