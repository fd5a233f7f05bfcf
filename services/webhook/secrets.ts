import { randomBytes } from "node:crypto";
import type { NamedKeys } from "../../config/named-keys.ts";
import { SealedSecrets } from "../sealed-secrets.ts";

/** A new secret in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** Encrypts the secrets of subscriptions, each bound to its subscription. */
export function webhookSecrets(keys: NamedKeys): SealedSecrets {
  return new SealedSecrets(keys, { owner: "webhook", setting: "WEBHOOK_KEYS" });
}
