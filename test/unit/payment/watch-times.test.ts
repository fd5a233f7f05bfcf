import { limits } from "../../../config/limits.ts";
import { effectOf } from "../../../services/payment/messages.ts";
import {
  againAfter,
  expiryOf,
  firstLook,
  isOverdue,
  nextLook,
  nextMessageLook,
} from "../../../services/payment/watches/watch-times.ts";

const now = 1_800_000_000_000;
const minute = 60_000;
const { messageAgainDelaysMs, messageLooksBeforeAgain } = limits.payment;

describe("the provider of an open order is asked", () => {
  test("after a minute, then later each time, and at the moment the order expires", () => {
    const expires = expiryOf(now);
    const looks: number[] = [];
    for (let at = firstLook(now), asked = 0; at < expires; ) {
      looks.push((at.getTime() - now) / minute);
      at = nextLook(++asked, at.getTime(), expires);
    }
    expect(looks).toEqual([1, 2, 4, 8]);
    expect(nextLook(4, now + 8 * minute, expires)).toEqual(expires);
  });

  test("no sooner than it expires at the provider", () => {
    expect(expiryOf(now).getTime()).toBeGreaterThan(now + limits.payment.orderExpiresMs);
  });

  test("every ten minutes for as long as the provider gives no final answer", () => {
    for (const asked of [6, 100, 100_000])
      expect(nextLook(asked, now, new Date(now - 1)).getTime()).toBe(now + 10 * minute);
  });
});

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
