import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { signWebhook } from "../../../mixins/outgoing/sign-webhook.ts";

const secret = () => `whsec_${randomBytes(32).toString("base64")}`;

test("a receiver verifies a signed call with either of two secrets, and with no other", () => {
  const [older, newer] = [secret(), secret()];
  const body = JSON.stringify({ text: "礼物 🎁" });
  const headers = signWebhook([newer, older], "msg_1", new Date(), body);
  expect(headers["webhook-signature"].split(" ")).toHaveLength(2);
  for (const known of [older, newer])
    expect(new Webhook(known).verify(body, { ...headers })).toEqual({ text: "礼物 🎁" });
  expect(() => new Webhook(secret()).verify(body, { ...headers })).toThrow("No matching signature found");
  expect(() => new Webhook(newer).verify(`${body} `, { ...headers })).toThrow("No matching signature found");
  expect(() => new Webhook(newer).verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow("No matching signature");
});

test("the time of a signature is that of its try, in whole seconds", () => {
  const at = (ms: number) => signWebhook([secret()], "msg_1", new Date(ms), "{}")["webhook-timestamp"];
  expect([at(1_700_000_000_999), at(1_700_000_001_000)]).toEqual(["1700000000", "1700000001"]);
});
