import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import type { NamedKeys } from "../config/named-keys.ts";

const cipher = "aes-256-gcm";

export interface SecretsOf {
  /** What the secrets are of, e.g. `webhook`: keys are derived with it, and errors name it. */
  readonly owner: string;
  /** The setting with the keys, for errors. */
  readonly setting: string;
}

function cipherKey(secret: KeyObject, owner: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `ovation ${owner} secrets`, 32));
}

/**
 * Encrypts secrets for the database (AES-256-GCM). A sealed secret is `<key>.<nonce>.<tag>.<text>`; it is bound to the
 * id of its row, so one that is copied to another row cannot be read there.
 */
export class SealedSecrets {
  private readonly of: SecretsOf;
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly sealing: string;

  constructor(keys: NamedKeys, of: SecretsOf) {
    this.of = of;
    this.sealing = keys.signing.id;
    this.keys = new Map([...keys.all].map(([id, { secret }]) => [id, cipherKey(secret, of.owner)]));
  }

  seal(secret: string, rowId: string): string {
    const nonce = randomBytes(12);
    const sealing = createCipheriv(cipher, this.keyOf(this.sealing), nonce).setAAD(Buffer.from(rowId));
    const text = Buffer.concat([sealing.update(secret, "utf8"), sealing.final()]);
    return [this.sealing, ...[nonce, sealing.getAuthTag(), text].map((part) => part.toString("base64url"))].join(".");
  }

  /** @throws Error where its key is not in the setting, or it was changed */
  open(sealed: string, rowId: string): string {
    const [id = "", ...parts] = sealed.split(".");
    const [nonce, tag, text] = parts.map((part) => Buffer.from(part, "base64url"));
    if (!nonce || !tag || !text) throw new Error(`the secret of ${this.of.owner} ${rowId} is not sealed`);
    const opening = createDecipheriv(cipher, this.keyOf(id), nonce, { authTagLength: 16 });
    opening.setAAD(Buffer.from(rowId)).setAuthTag(tag);
    return Buffer.concat([opening.update(text), opening.final()]).toString("utf8");
  }

  private keyOf(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key)
      throw new Error(`the key ${JSON.stringify(id)} of a ${this.of.owner}'s secret is not in ${this.of.setting}`);
    return key;
  }
}
