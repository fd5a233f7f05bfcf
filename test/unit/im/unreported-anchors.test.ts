import { limits } from "../../../config/limits.ts";
import { UnreportedAnchors } from "../../../services/im-server/unreported-anchors.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };

test("an anchor is reported until it succeeds, then no more; those who wait behind a failure are not lost", async () => {
  let away = true;
  const reported: [string, number][] = [];
  const anchors = new UnreportedAnchors(async (anchorId, roomId) => {
    if (away) throw new Error("away");
    reported.push([anchorId, roomId]);
  }, log);
  anchors.add("7", 1);
  anchors.add("8", 2);
  anchors.add("7", 1);
  await anchors.report();
  expect(reported).toEqual([]);
  away = false;
  await anchors.report();
  await anchors.report();
  expect(reported).toEqual([
    ["7", 1],
    ["8", 2],
  ]);
});

test("no more are remembered than the limit allows, and those who are remembered stay so", async () => {
  const reported: number[] = [];
  const anchors = new UnreportedAnchors(async (_anchorId, roomId) => reported.push(roomId), log);
  const { unreportedAnchors: most } = limits.im;
  for (let room = 1; room <= most; room++) expect(anchors.add("7", room)).toBe(true);
  expect(anchors.add("7", most + 1)).toBe(false);
  expect(anchors.add("7", 1)).toBe(true);
  await anchors.report();
  expect(reported).toHaveLength(most);
});
