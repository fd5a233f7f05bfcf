import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { verifyWebhook, WebhookError } from "../../../clients/typescript/src/index.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const rotated = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const nowS = 1_614_265_330;
const now = () => nowS * 1_000;
const rawBody = JSON.stringify({ id: "e1", type: "room.opened", data: { roomName: "天使 🎁" } });

function sign(body: string | Uint8Array, { key = secret, id = "msg_1", time = String(nowS) } = {}): string {
  const hmac = createHmac("sha256", Buffer.from(key.slice("whsec_".length), "base64"));
  return `v1,${hmac.update(`${id}.${time}.`).update(body).digest("base64")}`;
}

const headersOf = (signature: string, { id = "msg_1", time = String(nowS) } = {}) => ({
  ...{ "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature },
});

const faultOf = (webhook: Parameters<typeof verifyWebhook>[0]) =>
  verifyWebhook({ now, ...webhook }).then(
    () => "verified",
    (error: unknown) => (error instanceof WebhookError ? error.fault : Promise.reject(error)),
  );

test("a webhook with a signature of the secret is its event; headers as Headers, as an object, in any case", async () => {
  const headers = headersOf(sign(rawBody));
  const shouting = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const given of [headers, new Headers(headers), shouting])
    expect(await verifyWebhook({ secrets: secret, headers: given, rawBody, now })).toEqual(JSON.parse(rawBody));
  const bytes = new TextEncoder().encode(rawBody);
  expect(await verifyWebhook({ secrets: [secret], headers, rawBody: bytes, now })).toEqual(JSON.parse(rawBody));
});

test("what package standardwebhooks signs is verified", async () => {
  const signature = new Webhook(secret).sign("msg_1", new Date(now()), rawBody);
  expect(await verifyWebhook({ secrets: secret, headers: headersOf(signature), rawBody, now })).toEqual(
    JSON.parse(rawBody),
  );
});

test("while a secret is rotated one signature of one secret is enough, among signatures of other versions", async () => {
  const both = `v1a,AAAA ${sign(rawBody, { key: rotated })} ${sign(rawBody)}`;
  for (const secrets of [secret, rotated, [rotated, secret]])
    expect(await faultOf({ secrets, headers: headersOf(both), rawBody })).toBe("verified");
  for (const secrets of [
    [rotated, secret],
    [secret, rotated],
  ])
    expect(await faultOf({ secrets, headers: headersOf(sign(rawBody)), rawBody })).toBe("verified");
});

test("another secret, body, id or time, and a signature of no or another version, is refused", async () => {
  const good = sign(rawBody);
  const refused = [
    { secrets: rotated, headers: headersOf(good), rawBody },
    { secrets: secret, headers: headersOf(good), rawBody: `${rawBody} ` },
    { secrets: secret, headers: headersOf(good, { id: "msg_2" }), rawBody },
    { secrets: secret, headers: headersOf(good, { time: String(nowS + 1) }), rawBody },
    { secrets: secret, headers: headersOf(good.slice(3)), rawBody },
    { secrets: secret, headers: headersOf(good.replace("v1,", "v2,")), rawBody },
    { secrets: secret, headers: headersOf("v1,"), rawBody },
    { secrets: secret, headers: headersOf("v1,no base64 ü"), rawBody },
    { secrets: secret, headers: headersOf(`${"v1,AAAA ".repeat(16)}${good}`), rawBody },
  ];
  for (const webhook of refused) expect(await faultOf(webhook)).toBe("badSignature");
});

test("a time more than five minutes away is refused, in either direction", async () => {
  const at = (offsetS: number) => {
    const time = String(nowS + offsetS);
    return faultOf({ secrets: secret, headers: headersOf(sign(rawBody, { time }), { time }), rawBody });
  };
  expect(await Promise.all([-300, 300, -301, 301].map(at))).toEqual(["verified", "verified", "tooOld", "tooNew"]);
  for (const time of ["1e9", " 1", "-5", "soon", "9".repeat(13)])
    expect(await faultOf({ secrets: secret, headers: headersOf(sign(rawBody, { time }), { time }), rawBody })).toBe(
      "badTimestamp",
    );
});

test("a missing header, a body that is no JSON or no text, and a secret that is none, are told apart", async () => {
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"])
    expect(
      await faultOf({ secrets: secret, headers: { ...headersOf(sign(rawBody)), [name]: undefined }, rawBody }),
    ).toBe("missingHeader");
  for (const body of ["{", new Uint8Array([0x22, 0xff, 0x22])])
    expect(await faultOf({ secrets: secret, headers: headersOf(sign(body)), rawBody: body })).toBe("badBody");
  for (const secrets of [[], "", "whsec_", "whsec_ü"])
    await expect(verifyWebhook({ secrets, headers: headersOf(sign(rawBody)), rawBody, now })).rejects.toThrow(
      TypeError,
    );
});
