import { createDecipheriv, createSign, createVerify, type KeyObject, randomBytes } from "node:crypto";
import { limits } from "../../../../config/limits.ts";
import { WebhookRefused } from "../report.ts";

/** A merchant at WeChat Pay (API v3): its id, its key, and the platform's keys by serial. */
export interface WechatAccount {
  readonly mchId: string;
  readonly appId: string;
  /** 32 bytes: the key with which webhooks are encrypted. */
  readonly apiV3Key: string;
  readonly privateKey: KeyObject;
  /** The serial of the merchant's certificate. */
  readonly serialNo: string;
  /** The platform key with which answers must be signed. */
  readonly platformSerial: string;
  /** The platform's keys by serial: the present one, and during a change also the next one. */
  readonly platformKeys: ReadonlyMap<string, KeyObject>;
}

/** The Authorization header of a call: RSA-SHA256 over method, path with query, Unix seconds, nonce and body. */
export function authorization(
  account: WechatAccount,
  method: string,
  pathAndQuery: string,
  body: string,
  now = Date.now(),
): string {
  const timestamp = String(Math.floor(now / 1_000));
  const nonce = randomBytes(16).toString("hex");
  const signature = createSign("RSA-SHA256")
    .update(`${method}\n${pathAndQuery}\n${timestamp}\n${nonce}\n${body}\n`)
    .sign(account.privateKey, "base64");
  const fields = { mchid: account.mchId, nonce_str: nonce, signature, timestamp, serial_no: account.serialNo };
  const list = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return `WECHATPAY2-SHA256-RSA2048 ${list.join(",")}`;
}

/**
 * Verifies that a body, of a webhook or an answer, is WeChat Pay's and was signed recently. Header names are in lower
 * case. @throws WebhookRefused
 */
export function verifyWechat(
  account: Pick<WechatAccount, "platformKeys">,
  headers: Record<string, string>,
  body: string,
  now: number,
): void {
  const timestamp = headers["wechatpay-timestamp"] ?? "";
  const nonce = headers["wechatpay-nonce"] ?? "";
  const signature = headers["wechatpay-signature"] ?? "";
  if (
    !/^\d{1,12}$/.test(timestamp) ||
    !/^[\x21-\x7e]{1,128}$/.test(nonce) ||
    !/^[A-Za-z0-9+/=]{1,1024}$/.test(signature)
  )
    throw new WebhookRefused("signature", "headers missing or malformed");
  const key = account.platformKeys.get(headers["wechatpay-serial"] ?? "");
  if (!key) throw new WebhookRefused("signature", "signed with a key of another serial");
  const verified = createVerify("RSA-SHA256")
    .update(`${timestamp}\n${nonce}\n${body}\n`)
    .verify(key, signature, "base64");
  if (!verified) throw new WebhookRefused("signature");
  if (Math.abs(now - Number(timestamp) * 1_000) > limits.payment.webhookFreshnessMs) throw new WebhookRefused("stale");
}

const tagBytes = 16;

/**
 * Decrypts a webhook's resource: AES-256-GCM with the APIv3 key, the tag at the end of the cipher text. @throws
 * WebhookRefused
 */
export function decryptResource(
  apiV3Key: string,
  resource: { ciphertext: string; nonce: string; associated_data?: string },
): string {
  const sealed = Buffer.from(resource.ciphertext, "base64");
  if (sealed.length <= tagBytes) throw new WebhookRefused("malformed", "no cipher text");
  try {
    const decipher = createDecipheriv(
      "aes-256-gcm",
      Buffer.from(apiV3Key, "utf8"),
      Buffer.from(resource.nonce, "utf8"),
    );
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    decipher.setAAD(Buffer.from(resource.associated_data ?? "", "utf8"));
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    // OpenSSL's message is useless here: the key, the nonce or the text is wrong.
    throw new WebhookRefused("signature", "the resource cannot be decrypted with the APIv3 key");
  }
}
