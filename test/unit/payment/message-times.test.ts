import { limits } from "../../../config/limits.ts";
import { againAfter, isOverdue, nextMessageLook } from "../../../services/payment/janitor/message-times.ts";
import { effectOf } from "../../../services/payment/messages.ts";

const now = 1_800_000_000_000;
const { messageAgainDelaysMs, messageLooksBeforeAgain } = limits.payment;

test("the wallet is asked about a message some seconds after it, then later each time, and for ever", () => {
  const waits = Array.from({ length: 8 }, (_, asked) => (nextMessageLook(asked, now).getTime() - now) / 1_000);
  expect(waits).toEqual([5, 10, 30, 60, 120, 600, 600, 600]);
});

test("a message is published again after more than the stream's duplicate window, later each time, and for ever", () => {
  const waits = Array.from({ length: 8 }, (_, again) => againAfter(again, now).getTime() - now);
  expect(Math.min(...waits)).toBeGreaterThan(limits.jetstream.duplicateWindowMs);
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(waits.slice(6)).toEqual([messageAgainDelaysMs[5], messageAgainDelaysMs[5]]);
});

test.each([
  ["its time is not over", messageLooksBeforeAgain, now + 1, false],
  ["the wallet has hardly been asked, since it was away", messageLooksBeforeAgain - 1, now - 3_600_000, false],
  ["the wallet has said no often enough and its time is over", messageLooksBeforeAgain, now, true],
])("a message is not lost before its time and some looks at it: %s", (_why, asked, againTime, overdue) => {
  expect(isOverdue({ asked, againTime: new Date(againTime) }, now)).toBe(overdue);
});

test("only messages to the wallet have an effect in its books", () => {
  expect(["pay.recharge", "pay.refund", "pay.other", "event.payment.paid"].map(effectOf)).toEqual([
    ...["credit", "refund"],
    ...[null, null],
  ]);
});
