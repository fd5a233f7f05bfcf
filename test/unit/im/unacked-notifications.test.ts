import { UnackedNotifications } from "../../../services/im-server/unacked-notifications.ts";

const bounds = { resendMs: 4_000, resendMaxMs: 20_000, unacked: 3 };
const notification = (msgId: string, seq: number, expiresAt = 1_000_000) => ({
  ...{ msgId, seq, frame: `<${msgId}>`, expiresAt },
});

test("an unacked notification is due after 4 s, then after twice as long each time, up to a bound", () => {
  const unacked = new UnackedNotifications(bounds);
  expect(unacked.take(notification("m", 1), 0)).toBe(true);
  const sent = Array.from({ length: 90 }, (_, s) => s * 1_000).filter((now) => unacked.due(now).length > 0);
  expect(sent).toEqual([4_000, 12_000, 28_000, 48_000, 68_000, 88_000]);
});

test("an acked one is not due any more, and the ack gives every number under which it is stored, once", () => {
  const unacked = new UnackedNotifications(bounds);
  unacked.take(notification("m", 1), 0);
  expect(unacked.take(notification("m", 9), 1)).toBe(false);
  expect(unacked.acked("m")).toEqual([1, 9]);
  expect(unacked.acked("m")).toEqual([]);
  expect([unacked.due(50_000), unacked.size]).toEqual([[], 0]);
});

test("an ack of what was never sent is none", () => expect(new UnackedNotifications(bounds).acked("m")).toEqual([]));

test("what does not fit is skipped until there is room", () => {
  const unacked = new UnackedNotifications(bounds);
  const taken = ["a", "b", "c", "d"].map((msgId, seq) => unacked.take(notification(msgId, seq), 0));
  expect(taken).toEqual([true, true, true, false]);
  expect(unacked.skipped).toBe(true);
  expect(unacked.take(notification("a", 0), 0)).toBe(false);
  unacked.acked("a");
  expect(unacked.take(notification("d", 3), 0)).toBe(true);
});

test("an expired notification is not sent again", () => {
  const unacked = new UnackedNotifications(bounds);
  unacked.take(notification("old", 1, 5_000), 0);
  unacked.take(notification("new", 2), 0);
  expect(unacked.due(6_000)).toEqual(["<new>"]);
  expect(unacked.size).toBe(1);
});
