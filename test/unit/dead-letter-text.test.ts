import { limits } from "../../config/limits.ts";
import { orderOfBody, ordersOfBody, shownBody } from "../../services/dead-letter-text.ts";
import { unitSignatures } from "../support/unit-signatures.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const shown = (text: string) => shownBody(Buffer.from(text)).body;

test("a signed body is shown without its signature", () => {
  const body = '{"gifts":[{"orderId":"o-1","count":2}]}';
  const signed = unitSignatures().sign("gift.send.0", body);
  expect(signed).toContain('"sig":"');
  expect(shown(signed)).toBe(body);
});

test.each([
  ['{"token":"abc","n":1}', '{"token":"…","n":1}'],
  ['{"a":{"accessToken" : "x\\"y"},"b":2}', '{"a":{"accessToken" : "…"},"b":2}'],
  ['{"clientSecret":"s","Password":"p","phone":"13800138000"}', '{"clientSecret":"…","Password":"…","phone":"…"}'],
  ['{"sig":"s","mac":"m","key":"k","code":"123456"}', '{"sig":"…","mac":"…","key":"…","code":"…"}'],
  ['{"token":"cut off', '{"token":"…"'],
  ['{"token":"cut off\\', '{"token":"…"'],
  ['not JSON "token":"abc" at all', 'not JSON "token":"…" at all'],
  ['{"orderId":"signal","count":3}', '{"orderId":"signal","count":3}'],
])("secrets of %s are left out", (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test("what a terminal or a page would execute is replaced, and any bytes have a text", () => {
  expect(shown("a\u001b[2Jb\u202ec")).toBe("a [2Jb c");
  expect(shownBody(Buffer.from([0xff, 0xfe, 0x00])).body).toHaveLength(3);
});

test("a long body is cut, not in the middle of a character, and says so", () => {
  const long = "𝒳".repeat(limits.jetstream.deadLetterShownChars);
  const { body, bodyCut } = shownBody(Buffer.from(`x${long}`));
  expect(bodyCut).toBe(true);
  expect(body.length).toBeLessThanOrEqual(limits.jetstream.deadLetterShownChars);
  expect(body.isWellFormed()).toBe(true);
  expect(shownBody(Buffer.from("short")).bodyCut).toBe(false);
});

test("a megabyte of a foreign publisher is read in no time", () => {
  const started = performance.now();
  for (const piece of ['"token":"', '"', '\\"', "token", '"a":'])
    shownBody(Buffer.from(piece.repeat(1_000_000 / piece.length)));
  expect(performance.now() - started).toBeLessThan(10_000);
});

test.each([
  ['{"gifts":[{"orderId":"o-1"}]}', "o-1"],
  ['{"v":1,"orderId":"pay_7"}', "pay_7"],
  ['{"id":"e","name":"wallet.credited","data":{"orderId":"o-2"}}', "o-2"],
  ['{"data":{"gifts":[{"orderId":"o-3"},{"orderId":"o-3"}]}}', "o-3"],
  ['{"data":{"gifts":[{"orderId":"o-3"},{"orderId":"o-4"}]}}', null],
  ['{"orderId":"no order id at all"}', null],
  ['{"orderId":{"length":{"valueOf":1}}}', null],
  ['{"gifts":[null,1,[]]}', null],
  ["[]", null],
  ["null", null],
  ["not JSON", null],
])("the order of %s is %s", (text, expected) => {
  expect(orderOfBody(Buffer.from(text))).toBe(expected);
});

test("all orders that a body names are known, each once, and no more than its message can have", () => {
  const body = (orders: unknown[]) => Buffer.from(JSON.stringify({ gifts: orders.map((orderId) => ({ orderId })) }));
  expect(ordersOfBody(body(["o-1", "o-2", "o-1", "no order id", 7]))).toEqual(["o-1", "o-2"]);
  expect(ordersOfBody(Buffer.from("not JSON"))).toEqual([]);
  const many = Array.from({ length: limits.jetstream.deadLetterOrders + 1 }, (_, n) => `o-${n}`);
  expect(ordersOfBody(body(many))).toEqual(many.slice(0, -1));
  expect(limits.jetstream.deadLetterOrders).toBeGreaterThanOrEqual(limits.gift.groupGifts);
});
