import { limits } from "../../../config/limits.ts";
import { keptAnswer, mostTries, outcomeOf, retryAfterMs, type Try } from "../../../services/webhook/outcome.ts";

const answered = (httpStatus: number | null, retryAfter?: string): Try => ({
  ...{ httpStatus, retryAfter, failure: httpStatus === null ? "timedOut" : null, answer: "", durationMs: 1 },
});
const now = Date.parse("2026-11-26T12:00:00Z");

test.each([200, 201, 204, 299])("%i is a success", (status) => {
  expect(outcomeOf(answered(status), 3, now, 0.5)).toEqual({ state: "succeeded", pauseMs: 0, isGone: false });
});

test.each([null, 100, 199, 300, 301, 304, 400, 404, 429, 500, 503])("%p is a failure that is tried again", (status) => {
  expect(outcomeOf(answered(status), 1, now, 0.5)).toEqual({ state: "due", pauseMs: 5_000, isGone: false });
});

test("410 is a failure after which the receiver wants no more calls", () => {
  expect(outcomeOf(answered(410), 1, now, 0.5)).toEqual({ state: "due", pauseMs: 5_000, isGone: true });
});

test("tries are at once and after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, each up to a tenth earlier or later; then it has failed", () => {
  const minutes = [1 / 12, 5, 30, 120, 300, 600, 600].map((value) => value * 60_000);
  const pauses = (random: number) =>
    minutes.map((_, at) => outcomeOf(answered(500), at + 1, now, random)).map(({ pauseMs }) => pauseMs);
  expect(pauses(0.5)).toEqual(minutes);
  expect(pauses(0)).toEqual(minutes.map((ms) => Math.round(ms * 0.9)));
  expect(pauses(1)).toEqual(minutes.map((ms) => Math.round(ms * 1.1)));
  expect(mostTries).toBe(8);
  expect(outcomeOf(answered(500), mostTries, now, 0.5).state).toBe("failed");
  expect(outcomeOf(answered(500), mostTries + 200, now, 0.5).state).toBe("failed");
});

test.each([
  ["120", 120_000],
  ["0", 0],
  ["Thu, 26 Nov 2026 12:01:00 GMT", 60_000],
  ["Thu, 26 Nov 2020 12:01:00 GMT", 0],
  ["999999999", limits.webhook.retryAfterMs],
  ["Fri, 26 Nov 2999 12:01:00 GMT", limits.webhook.retryAfterMs],
  ["-5", 0],
  ["soon", 0],
  ["1e9", 0],
  [undefined, 0],
])("Retry-After %p makes it wait for at least %i ms", (header, ms) => {
  expect(retryAfterMs(header, now)).toBe(ms);
  expect(outcomeOf(answered(503, header), 1, now, 0.5).pauseMs).toBe(Math.max(5_000, ms));
});

test.each([
  ["ok", "ok"],
  [" a\u0000b\r\n\u001b[31mc\u2028d ", "a b [31mc d"],
  ["\ud83d", "\ufffd"],
  ["", ""],
])("of the answer %p the log keeps %p", (answer, kept) => {
  expect(keptAnswer(answer)).toBe(kept);
});

test("the log keeps at most a kilobyte of an answer, whole characters", () => {
  for (const text of ["x".repeat(5_000), "é".repeat(5_000), "好".repeat(5_000), `x${"😀".repeat(5_000)}`]) {
    const kept = keptAnswer(text);
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(kept)).toBeGreaterThan(1_016);
    expect(text.startsWith(kept)).toBe(true);
  }
});
