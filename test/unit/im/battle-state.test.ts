import { imRouterActions } from "../../../services/im-router/im-router.contract.ts";

test("the state of a battle that goes to rooms is a battle's view, whole and nothing else", () => {
  const side = { roomId: 51, userId: "7", score: 3, gifts: 1, topSenders: [] };
  const data = {
    ...{ battleId: "9", kind: "rooms", state: "running", sides: [side, { ...side, roomId: 52, userId: "8" }] },
    ...{ startTime: "2026-11-26T16:00:00.000Z", endTime: "2026-11-26T16:05:00.000Z" },
    ...{ serverTime: "2026-11-26T16:01:00.000Z", winner: null, excluded: [] },
  };
  const { params } = imRouterActions.battleState;
  const parsed = (changes: object) =>
    params.safeParse({ rooms: [51, 52], msgId: "battle:9:running", data: { ...data, ...changes } });
  expect(parsed({ url: "https://other.example" }).data).toEqual({ rooms: [51, 52], msgId: "battle:9:running", data });
  expect(parsed({ sides: [side] }).success).toBe(false);
  expect(parsed({ state: "won" }).success).toBe(false);
  expect(params.safeParse({ rooms: [51], msgId: "m", data: { text: "hello" } }).success).toBe(false);
});
