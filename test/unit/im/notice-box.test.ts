import { NoticeBox } from "../../../services/im-server/notice-box.ts";

const bounds = { resendMs: 4_000, resendMaxMs: 20_000, unacked: 3 };
const notice = (msgId: string, seq: number, keptUntil = 1_000_000) => ({ msgId, seq, frame: `<${msgId}>`, keptUntil });

test("an unacked notice is due after 4 s, then after twice as long each time, up to a bound", () => {
  const box = new NoticeBox(bounds);
  expect(box.take(notice("m", 1), 0)).toBe(true);
  const sent = Array.from({ length: 90 }, (_, s) => s * 1_000).filter((now) => box.due(now).length > 0);
  expect(sent).toEqual([4_000, 12_000, 28_000, 48_000, 68_000, 88_000]);
});

test("an acked one is not due any more, and every number it stands under is told, once", () => {
  const box = new NoticeBox(bounds);
  box.take(notice("m", 1), 0);
  expect(box.take(notice("m", 9), 1)).toBe(false);
  expect(box.acked("m")).toEqual([1, 9]);
  expect(box.acked("m")).toEqual([]);
  expect([box.due(50_000), box.size]).toEqual([[], 0]);
});

test("an ack of what was never sent is none", () => expect(new NoticeBox(bounds).acked("m")).toEqual([]));

test("what does not fit is passed over until there is room", () => {
  const box = new NoticeBox(bounds);
  const taken = ["a", "b", "c", "d"].map((msgId, seq) => box.take(notice(msgId, seq), 0));
  expect(taken).toEqual([true, true, true, false]);
  expect([box.full, box.passedOver]).toEqual([true, true]);
  expect(box.take(notice("a", 0), 0)).toBe(false);
  box.acked("a");
  expect(box.take(notice("d", 3), 0)).toBe(true);
});

test("what is not kept any more is not sent again", () => {
  const box = new NoticeBox(bounds);
  box.take(notice("old", 1, 5_000), 0);
  box.take(notice("new", 2), 0);
  expect(box.due(6_000)).toEqual(["<new>"]);
  expect(box.size).toBe(1);
});
