import type { BattleService } from "../../../services/battle/battle-service.ts";
import type { Battle, Side } from "../../../services/battle/battle-state.ts";
import { BattleViews } from "../../../services/battle/battle-views.ts";

const side = (roomId: number): Side => ({
  ...{ roomId, userId: String(roomId), seen: true, gone: false, deserted: false, awayMs: null },
});
const battle = (id: string, state: Battle["state"]): Battle => ({
  ...{ id, kind: "rooms", state, durationMs: 60_000, version: 1, shownVersion: 1, invitedMs: 0, startingMs: 0 },
  ...{ endAsked: false, endedMs: null, start: 1_000, plannedEnd: 61_000, end: null, winner: null, linked: false },
  sides: [side(1), side(2)],
});
const givers = [{ userId: "9", coins: 5 }];

/** The top senders in the views of a running and an ended battle, and what was asked of other services. */
async function shownWith(ranks: string) {
  const given = process.env.RANKS;
  process.env.RANKS = ranks;
  try {
    const asked: string[] = [];
    const answers: Record<string, unknown> = {
      "gift.totals": { sides: [0, 1].map(() => ({ score: 5, gifts: 1, topSenders: givers })) },
      "user.profiles": { list: [{ userId: "9", nickName: "n9", avatar: "a" }] },
    };
    const query = async (sql: string) =>
      sql.includes("top_senders")
        ? [0, 1].map(() => ({ battle_id: "8", score: "5", gifts: "1", top_senders: JSON.stringify(givers) }))
        : [];
    const views = new BattleViews({
      mysql: { query },
      clock: { now: () => 2_000 },
      logger: { debug: jest.fn(), warn: jest.fn() },
      broker: {
        call: async (action: string) => {
          asked.push(action);
          return answers[action];
        },
      },
    } as unknown as BattleService);
    const found = await views.of([battle("7", "running"), battle("8", "ended")]);
    const names = found.map(({ sides }) => sides.map(({ topSenders }) => topSenders.map(({ nickName }) => nickName)));
    return { names, asked: asked.sort(), scores: found[1]?.sides.map(({ score }) => score) };
  } finally {
    if (given === undefined) delete process.env.RANKS;
    else process.env.RANKS = given;
  }
}

test("battles name their top senders; with RANKS=off they name none and ask for none, and scores stay", async () => {
  expect(await shownWith("on")).toEqual({
    names: Array(2).fill([["n9"], ["n9"]]),
    asked: ["gift.totals", "user.profiles"],
    scores: [5, 5],
  });
  expect(await shownWith("off")).toEqual({ names: Array(2).fill([[], []]), asked: [], scores: [5, 5] });
});
