import { type Attended, changesOf, type LookedRoom } from "../../../services/living-room/attendance.ts";

const room = (roomId: number, marks: Partial<LookedRoom> = {}): LookedRoom => ({
  ...{ roomId, anchorId: "7", watchNum: 0, anchorSeen: true, away: false },
  ...marks,
});
const found = (roomId: number, anchor: boolean | null, members = 0): Attended => ({ roomId, members, anchor });

test.each([
  ["came", { anchorSeen: false }, true, "here"],
  ["came back", { away: true }, true, "here"],
  ["has gone", {}, false, "gone"],
] as const)("an anchor who %s is noted", (_what, marks, anchor, change) => {
  expect(changesOf([room(1, marks)], [found(1, anchor)])).toEqual({ numbers: [], here: [], gone: [], [change]: [1] });
});

test.each([
  ["is there as before", {}, true],
  ["is away as before", { away: true }, false],
  ["never came", { anchorSeen: false }, false],
  ["cannot be found for certain", {}, null],
  ["cannot be found for certain while she is away", { away: true }, null],
] as const)("of an anchor who %s nothing is written", (_what, marks, anchor) => {
  expect(changesOf([room(1, marks)], [found(1, anchor)])).toEqual({ numbers: [], here: [], gone: [] });
});

test("numbers are corrected where they are wrong, and rooms without an answer stay as they are", () => {
  const rooms = [room(1, { watchNum: 2 }), room(2, { watchNum: 5 }), room(3, { watchNum: 1, away: true })];
  expect(changesOf(rooms, [found(1, true, 0), found(2, true, 5), found(9, false, 3)])).toEqual({
    numbers: [{ roomId: 1, was: 2, is: 0 }],
    here: [],
    gone: [],
  });
});
