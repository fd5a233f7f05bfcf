import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import {
  parseWebhook,
  readCashierWebhook,
  signedHeaders,
  verifySignature,
  webhookBody,
} from "../../../services/payment/providers/cashier/cashier-webhook.ts";
import { WebhookRefused } from "../../../services/payment/providers/report.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";

const secret = "cashier-secret-of-this-test";
const now = 1_800_000_000_000;
const body = webhookBody({
  orderId: "order-1",
  amount: 3_000,
  action: "pay",
  pressTime: new Date(now),
  noticeId: "webhook-1",
  transactionId: "transaction-1",
  attempt: 1,
});

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof WebhookRefused) return error.refusal;
    throw error;
  }
  return "believed";
}
const verify = (headers: Record<string, string>, text = body, at = now) =>
  refusalOf(() => verifySignature(secret, headers, text, at));

describe("the cashier's signature", () => {
  const headers = signedHeaders(secret, body, now);

  test("proves what was signed", () => {
    expect(verify(headers)).toBe("believed");
  });

  test.each([
    ["a changed body", () => verify(headers, body.replace("3000", "3001"))],
    ["a body with a space more", () => verify(headers, `${body} `)],
    ["another timestamp", () => verify({ ...headers, "x-cashier-timestamp": String(now / 1_000 + 1) })],
    ["another nonce", () => verify({ ...headers, "x-cashier-nonce": "0123456789abcdef" })],
    ["another secret", () => verify(signedHeaders("another-secret-entirely", body, now))],
    ["no headers", () => verify({})],
    ["a shorter signature", () => verify({ ...headers, "x-cashier-signature": "ab" })],
    ["no hex", () => verify({ ...headers, "x-cashier-signature": "z".repeat(64) })],
    ["a number that is none", () => verify({ ...headers, "x-cashier-timestamp": "1e9" })],
    ["a nonce with a line break", () => verify({ ...headers, "x-cashier-nonce": "aaaaaaaa\nbbbb" })],
  ])("does not hold for %s", (_what, attempt) => {
    expect(attempt()).toBe("signature");
  });

  test("is good for the freshness limit, before and after, and not for longer", () => {
    const { webhookFreshnessMs } = limits.payment;
    expect(verify(headers, body, now + webhookFreshnessMs)).toBe("believed");
    expect(verify(headers, body, now - webhookFreshnessMs)).toBe("believed");
    expect(verify(headers, body, now + webhookFreshnessMs + 1)).toBe("stale");
    expect(verify(headers, body, now - webhookFreshnessMs - 1)).toBe("stale");
  });
});

describe("the body of a webhook", () => {
  const changed = (changes: object) => JSON.stringify({ ...JSON.parse(body), ...changes });

  test("is read as it was written", () => {
    expect(parseWebhook(body)).toMatchObject({ orderId: "order-1", amount: 3_000, currency: "CNY", status: "PAID" });
  });

  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["deeply nested lists", "[".repeat(60_000)],
    ["an amount as text", changed({ amount: "3000" })],
    ["an amount of zero", changed({ amount: 0 })],
    ["a negative amount", changed({ amount: -1 })],
    ["a fraction", changed({ amount: 0.5 })],
    ["an unsafe amount", changed({ amount: 2 ** 53 })],
    ["an infinite amount", body.replace("3000", "1e999")],
    ["an order id that is an object", changed({ orderId: { toString: "x" } })],
    ["an endless order id", changed({ orderId: "x".repeat(65) })],
    ["an unknown status", changed({ status: "paid" })],
    ["a time that is none", changed({ time: "yesterday" })],
    ["only a prototype", '{"__proto__":{"amount":3000,"orderId":"order-1"}}'],
  ])("is refused where it is %s", (_what, text) => {
    expect(refusalOf(() => parseWebhook(text))).toBe("malformed");
  });

  test("cannot bring fields of its own, nor a prototype", () => {
    const webhook = parseWebhook(body.replace("{", '{"__proto__":{"admin":true},"extra":1,'));
    expect(webhook).not.toHaveProperty("extra");
    expect(webhook).not.toHaveProperty("admin");
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });
});

test("a signed webhook with any content is accepted as a whole or refused, and nothing else is thrown", () => {
  const names = Object.keys(JSON.parse(body) as object);
  const kept = (text: string) => JSON.stringify({ ...JSON.parse(body), ...JSON.parse(text) });
  const shallow = strangeObject(names).filter((text) => text.length < 10_000);
  const bodies = fc.oneof(
    strangeObject(names),
    strangeJson(...names),
    shallow.map(kept),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(bodies, (text) => {
      const raw = { body: text, headers: signedHeaders(secret, text, now), query: {}, ip: "127.0.0.1" };
      expect(["believed", "malformed", "merchant", "currency"]).toContain(
        refusalOf(() => readCashierWebhook(secret, raw, new Date(now))),
      );
    }),
    { numRuns: 200 },
  );
});
