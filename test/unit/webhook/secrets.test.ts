import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { namedKeysIn } from "../../../config/named-keys.ts";
import { newSecret, webhookSecrets } from "../../../services/webhook/secrets.ts";

const key = (id: string) => `${id}:${randomBytes(32).toString("base64url")}`;
const [k1, k2] = [key("k1"), key("k2")];
const sealedBy = (...keys: string[]) => webhookSecrets(namedKeysIn(keys.join(",")));

test("a new secret has the form of Standard Webhooks and 32 random bytes", () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) {
    expect(Buffer.from(secret.slice("whsec_".length), "base64")).toHaveLength(32);
    expect(() => new Webhook(secret)).not.toThrow();
  }
});

test("a sealed secret is opened with the key that it was made with, also when another key has become the first", () => {
  const secret = newSecret();
  const sealed = sealedBy(k1).seal(secret, "7");
  expect(sealed).not.toContain(secret.slice(6, 20));
  expect(sealedBy(k1).seal(secret, "7")).not.toBe(sealed);
  expect(sealed.length).toBeLessThanOrEqual(255);
  expect(sealedBy(k2, k1).open(sealed, "7")).toBe(secret);
  expect(() => sealedBy(k2).open(sealed, "7")).toThrow(/"k1" of a webhook's secret is not in WEBHOOK_KEYS/);
});

test("a sealed secret that was changed, or copied to another subscription, is not opened", () => {
  const secrets = sealedBy(k1);
  const sealed = secrets.seal(newSecret(), "7");
  expect(() => secrets.open(sealed, "8")).toThrow();
  for (const at of [sealed.length - 2, sealed.indexOf(".") + 2])
    expect(() =>
      secrets.open(sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1), "7"),
    ).toThrow();
  for (const wrong of ["", "k1", "k1.a.b", "k1.a.b.c", "k1..."]) expect(() => secrets.open(wrong, "7")).toThrow();
});
