import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import type { NamedKeys } from "../../config/named-keys.ts";

/** A new secret in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

const cipher = "aes-256-gcm";

function cipherKey(secret: KeyObject): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "ovation webhook secrets", 32));
}

/**
 * Encrypts the secrets of subscriptions for the database (AES-256-GCM). A sealed secret is `<key>.<nonce>.<tag>.<text>`;
 * it is bound to its subscription, so one that is copied to another row cannot be read there.
 */
export class SealedSecrets {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly sealing: string;

  constructor(keys: NamedKeys) {
    this.sealing = keys.signing.id;
    this.keys = new Map([...keys.all].map(([id, { secret }]) => [id, cipherKey(secret)]));
  }

  seal(secret: string, webhookId: string): string {
    const nonce = randomBytes(12);
    const sealing = createCipheriv(cipher, this.keyOf(this.sealing), nonce).setAAD(Buffer.from(webhookId));
    const text = Buffer.concat([sealing.update(secret, "utf8"), sealing.final()]);
    return [this.sealing, ...[nonce, sealing.getAuthTag(), text].map((part) => part.toString("base64url"))].join(".");
  }

  /** @throws Error where its key is not in WEBHOOK_KEYS, or it was changed */
  open(sealed: string, webhookId: string): string {
    const [id = "", ...parts] = sealed.split(".");
    const [nonce, tag, text] = parts.map((part) => Buffer.from(part, "base64url"));
    if (!nonce || !tag || !text) throw new Error(`the secret of webhook ${webhookId} is not sealed`);
    const opening = createDecipheriv(cipher, this.keyOf(id), nonce, { authTagLength: 16 });
    opening.setAAD(Buffer.from(webhookId)).setAuthTag(tag);
    return Buffer.concat([opening.update(text), opening.final()]).toString("utf8");
  }

  private keyOf(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key) throw new Error(`the key ${JSON.stringify(id)} of a webhook's secret is not in WEBHOOK_KEYS`);
    return key;
  }
}
