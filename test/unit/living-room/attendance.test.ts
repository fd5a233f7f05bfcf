import { type Attended, type CheckedRoom, changesOf } from "../../../services/living-room/attendance.ts";

const room = (roomId: number, fields: Partial<CheckedRoom> = {}): CheckedRoom => ({
  ...{ roomId, anchorId: "7", watchNum: 0, anchor: "present" },
  ...fields,
});
const found = (roomId: number, anchor: boolean | null, members = 0): Attended => ({ roomId, members, anchor });

test.each([
  ["awaited", true, "here"],
  ["absent", true, "here"],
  ["present", false, "gone"],
] as const)("an %s anchor changes her state when she is found (%s)", (anchor, isFound, change) => {
  expect(changesOf([room(1, { anchor })], [found(1, isFound)])).toEqual({
    numbers: [],
    here: [],
    gone: [],
    [change]: [1],
  });
});

test.each([
  ["present", true],
  ["absent", false],
  ["awaited", false],
  ["present", null],
  ["absent", null],
  ["awaited", null],
] as const)("an %s anchor keeps her state when she is found (%s); null is unknown", (anchor, isFound) => {
  expect(changesOf([room(1, { anchor })], [found(1, isFound)])).toEqual({ numbers: [], here: [], gone: [] });
});

test("wrong watch numbers are corrected; a room without an answer stays as it is", () => {
  const rooms = [room(1, { watchNum: 2 }), room(2, { watchNum: 5 }), room(3, { watchNum: 1, anchor: "absent" })];
  expect(changesOf(rooms, [found(1, true, 0), found(2, true, 5), found(9, false, 3)])).toEqual({
    numbers: [{ roomId: 1, was: 2, is: 0 }],
    here: [],
    gone: [],
  });
});
