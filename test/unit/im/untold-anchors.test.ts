import { limits } from "../../../config/limits.ts";
import { UntoldAnchors } from "../../../services/im-server/untold-anchors.ts";

test("an anchor is told of until it succeeds, then no more; who waits behind one that fails is not lost", async () => {
  let away = true;
  const told: [string, number][] = [];
  const untold = new UntoldAnchors({
    tell: async (anchorId, roomId) => {
      if (away) throw new Error("away");
      told.push([anchorId, roomId]);
    },
    log: { warn: () => {} },
  });
  untold.add("7", 1);
  untold.add("8", 2);
  untold.add("7", 1);
  await untold.tell();
  expect([told, untold.size]).toEqual([[], 2]);
  away = false;
  await untold.tell();
  await untold.tell();
  expect(told).toEqual([
    ["7", 1],
    ["8", 2],
  ]);
});

test("no more are kept than the limit says, and who is kept already still is", () => {
  const untold = new UntoldAnchors({ tell: async () => {}, log: { warn: () => {} } });
  for (let room = 1; room <= limits.attendance.untoldAnchors; room++) expect(untold.add("7", room)).toBe(true);
  expect(untold.add("7", limits.attendance.untoldAnchors + 1)).toBe(false);
  expect(untold.add("7", 1)).toBe(true);
  expect(untold.size).toBe(limits.attendance.untoldAnchors);
});
