import { limits } from "../../../config/limits.ts";
import { isTopic } from "../../../services/payment/messages.ts";
import { excerpt } from "../../../services/payment/webhook-record.ts";
import { expectWithin } from "../../support/in-time.ts";

describe("the audit row of a webhook", () => {
  test.each([
    ['{"orderId":"o","sign":"S3CRET","amount":1}'],
    ['{"cashier_secret" : "S3CRET"}'],
    ['{"resource":{"ciphertext":"S3CRET\\"more","nonce":"n"}}'],
    ["out_trade_no=o&sign=S3CRET%2Bx&sign_type=RSA2"],
    ["buyer_logon_id=S3CRET&total_amount=1"],
    ['{"token":"S3CRET'],
  ])("keeps no secret of %s", (body) => {
    expect(excerpt(body)).not.toContain("S3CRET");
    expect(excerpt(body)).toContain("***");
  });

  test("keeps what it is about", () => {
    expect(excerpt("out_trade_no=o&sign=x&total_amount=1.00")).toBe("out_trade_no=o&sign=***&total_amount=1.00");
  });

  test("is bounded, has no control characters, and hostile text does not make it slow", () => {
    expect(excerpt("a".repeat(65_536))).toHaveLength(limits.payment.webhookExcerptChars);
    expect(excerpt("a\u0000b\nc\u202ed")).toBe("a b c d");
    const begun = performance.now();
    for (const hostile of ["a", "_sign", '"sign', "sign ", '"sign":"\\', "auth_"]) excerpt(hostile.repeat(16_000));
    expectWithin("excerpts of hostile text", 5_000, begun);
  });
});

test("a topic is a subject of the stream PAY and nothing else", () => {
  expect(["pay.recharge", "pay.vip-1"].every(isTopic)).toBe(true);
  expect(["pay.", "pay.a.b", "pay.*", "pay.>", "event.x", "pay recharge", "pay.A", " pay.a", ""].some(isTopic)).toBe(
    false,
  );
});
