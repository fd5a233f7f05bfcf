import { randomBytes } from "node:crypto";
import { namedKeysIn } from "../../../config/named-keys.ts";
import { bodyOf, messageIdOf, signatureFault, signedText } from "../../../mixins/jetstream/signatures.ts";

const key = (id: string) => `${id}:${randomBytes(32).toString("base64url")}`;
const [first, second] = [key("k1"), key("k2")];
const keys = namedKeysIn(first);
const place = { namespace: "shop", subject: "shop_pay.recharge", signer: "payment" };
const body = '{"orderId":"礼-1","coins":5}';
const signed = signedText(keys, place, body);
const bytes = (text: string) => new TextEncoder().encode(text);
const fault = (text: string, where = place, by = keys) => signatureFault(by, where, bytes(text));

test("a signed message is the same JSON with the signature before it, and is genuine at its place", () => {
  expect(JSON.parse(signed)).toMatchObject({
    v: 1,
    keyId: expect.stringMatching(/^k1\.[0-9a-f]{4}$/),
    ...JSON.parse(body),
  });
  expect(fault(signed)).toBeUndefined();
  expect(bodyOf(signed)).toBe(body);
});

test("a part of a larger buffer is checked by its own bytes", () => {
  const buffer = Buffer.from(`xxxx${signed}xxxx`);
  expect(signatureFault(keys, place, buffer.subarray(4, buffer.length - 4))).toBeUndefined();
});

test.each([
  ["of another namespace", { ...place, namespace: "other" }],
  ["of another subject", { ...place, subject: "shop_pay.refund" }],
  ["of another signer", { ...place, signer: "gift" }],
])("a message %s is refused", (_what, where) => {
  expect(fault(signed, where)).toBe("wrongSignature");
});

test.each([
  ["a changed amount", signed.replace('"coins":5', '"coins":6')],
  ["a space more", `${signed} `],
  ["a member more", signed.replace(/\}$/, ',"coins":500}')],
  ["a signature of zeros", signed.replace(/"sig":"[^"]+"/, `"sig":"${"A".repeat(43)}"`)],
])("with %s the signature is wrong", (_what, text) => {
  expect(fault(text)).toBe("wrongSignature");
});

test.each([
  ["nothing", ""],
  ["no object", "7"],
  ["no signature", body],
  ["an empty signature", signed.replace(/"sig":"[^"]+"/, '"sig":""')],
  ["a longer signature", signed.replace('"sig":"', '"sig":"A')],
  ["another spelling of the beginning", signed.replace('{"v":1', '{ "v":1')],
  ["the signature behind the body", `${body.slice(0, -1)},${signed.slice(1, signed.indexOf('"orderId"') - 1)}}`],
  ["a key without a fingerprint", signed.replace(/(k1)\.[0-9a-f]{4}/, "$1")],
  ["another version", signed.replace('"v":1', '"v":2')],
])("with %s a message is unsigned", (_what, text) => {
  expect(fault(text)).toBe("unsigned");
});

test("the first key signs and all of them verify, so keys are changed while messages wait", () => {
  const rotated = namedKeysIn(`${second},${first}`);
  expect(fault(signed, place, rotated)).toBeUndefined();
  const after = signedText(rotated, place, body);
  expect(JSON.parse(after).keyId).toMatch(/^k2\./);
  expect(fault(after, place, rotated)).toBeUndefined();
  expect(fault(after)).toBe("unknownKey");
});

test("another secret under the same name is another key: nodes that differ in it call nothing genuine forged", () => {
  const another = "k1:another-secret-of-thirty-two-bytes-of-the-tests";
  const mine = "k1:the-secret-of-thirty-two-bytes-of-this-test";
  const text = signedText(namedKeysIn(mine), place, body);
  expect(fault(text, place, namedKeysIn(mine))).toBeUndefined();
  expect(fault(text, place, namedKeysIn(another))).toBe("unknownKey");
});

test("whoever has not the secret cannot use its key's id", () => {
  const keyId = JSON.parse(signed).keyId as string;
  const forged = signedText(namedKeysIn(key("k1")), place, body).replace(/k1\.[0-9a-f]{4}/, keyId);
  expect(fault(forged)).toBe("wrongSignature");
});

test("the longest name of a key leaves its messages genuine", () => {
  const longest = namedKeysIn(key("a-name_of-16-cha"));
  expect(fault(signedText(longest, place, body), place, longest)).toBeUndefined();
  expect(bodyOf(signedText(longest, place, body))).toBe(body);
});

test("a message's id is the same for the same text, and needs the key", () => {
  expect(messageIdOf(keys, place, "orders")).toBe(messageIdOf(keys, place, "orders"));
  expect(messageIdOf(keys, place, "orders")).toMatch(/^[A-Za-z0-9_-]{32}$/);
  const others = [
    messageIdOf(keys, place, "order"),
    messageIdOf(keys, { ...place, namespace: "other" }, "orders"),
    messageIdOf(namedKeysIn(second), place, "orders"),
  ];
  expect(others).not.toContain(messageIdOf(keys, place, "orders"));
});
