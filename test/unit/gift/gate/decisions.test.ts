import { decisionsOf } from "../../../../services/gift/gate/decisions.ts";

const read = (decisions: unknown) => Object.fromEntries(decisionsOf(JSON.stringify({ decisions })));

test("a gift is allowed or refused, with the platform's code and text", () => {
  const decisions = [
    { orderId: "a", allow: true },
    { orderId: "b", allow: false, code: 42_001, msg: "今天不能送礼" },
    { orderId: "c", allow: false },
  ];
  expect(read(decisions)).toEqual({ a: "allowed", b: { code: 42_001, msg: "今天不能送礼" }, c: {} });
});

test("a gift with two decisions, or with a malformed one, has none", () => {
  const twice = { orderId: "a", allow: true };
  const malformed = [
    { orderId: "b" },
    { orderId: "c", allow: "false" },
    { orderId: "d", allow: 1 },
    { orderId: "e", allow: null },
    { allow: true },
    { orderId: 7, allow: true },
    null,
    "f",
    [],
  ];
  expect(read([twice, ...malformed, twice])).toEqual({});
  expect(read([twice, { orderId: "a", allow: false }, twice])).toEqual({});
});

test.each([
  ["0", 0],
  ["below zero", -1],
  ["a fraction", 1.5],
  ["too large", 1e9],
  ["a text", "42"],
  ["nothing", null],
])("a refusal whose code is %s is one without a code", (_what, code) => {
  expect(read([{ orderId: "a", allow: false, code }])).toEqual({ a: {} });
});

test("a text is one line of bounded length, in whole characters, or left out", () => {
  const shown = (msg: unknown) => (read([{ orderId: "a", allow: false, msg }]).a as { msg?: string }).msg;
  expect(shown(" two\r\nlines\u0000\u2028and\t more ")).toBe("two lines and more");
  expect(shown("🎁".repeat(500))).toBe("🎁".repeat(200));
  expect(shown("half \ud83c of a pair")).toBe("half \ufffd of a pair");
  for (const none of ["", " \n ", 5, null, {}, ["a"]]) expect(shown(none)).toBeUndefined();
});

test.each(["", "no", "null", "[]", "{}", '{"decisions":{}}', '{"decisions":null}', "<html>"])(
  "an answer that is no list of decisions is refused: %s",
  (text) => {
    expect(() => decisionsOf(text)).toThrow();
  },
);
