import { createSign, createVerify, type KeyObject } from "node:crypto";
import { WebhookRefused } from "../report.ts";

/** A merchant's application at Alipay, with its own key and Alipay's (RSA2). */
export interface AlipayAccount {
  readonly appId: string;
  readonly sellerId: string;
  readonly privateKey: KeyObject;
  readonly alipayKey: KeyObject;
}

/** The text that is signed: `name=value` sorted by name, with values before any encoding. */
function sortedForm(fields: Readonly<Record<string, string>>, without: readonly string[]): string {
  return Object.keys(fields)
    .filter((name) => !without.includes(name))
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join("&");
}

/** The fields of a request and their signature, which covers all of them, also sign_type. */
export function signRequest(account: AlipayAccount, fields: Readonly<Record<string, string>>): Record<string, string> {
  const sign = createSign("RSA-SHA256")
    .update(sortedForm(fields, ["sign"]), "utf8")
    .sign(account.privateKey, "base64");
  return { ...fields, sign };
}

/** @throws WebhookRefused where the text is not signed by Alipay. */
function verifyText(account: AlipayAccount, text: string, signature: string): void {
  const wellFormed = /^[A-Za-z0-9+/=]{1,1024}$/.test(signature);
  if (!wellFormed || !createVerify("RSA-SHA256").update(text, "utf8").verify(account.alipayKey, signature, "base64"))
    throw new WebhookRefused("signature");
}

/**
 * Verifies that a webhook's form is Alipay's: RSA2 over its fields without sign and sign_type. @throws WebhookRefused
 */
export function verifyForm(account: AlipayAccount, fields: Readonly<Record<string, string>>): void {
  if (fields.sign === undefined || fields.sign_type !== "RSA2")
    throw new WebhookRefused("signature", "sign or sign_type missing or of another kind");
  verifyText(account, sortedForm(fields, ["sign", "sign_type"]), fields.sign);
}

/** The answer to a call, e.g. of `alipay_trade_query_response`, as the text that was signed. @throws WebhookRefused */
export function verifiedAnswer(account: AlipayAccount, name: string, body: string): string {
  const text = objectAfter(body, `"${name}":`);
  const signature = /"sign"\s*:\s*"([^"\\]*(?:\\\/[^"\\]*)*)"/.exec(text === null ? "" : body.replace(text, ""))?.[1];
  if (text === null || signature === undefined) throw new WebhookRefused("malformed", "no signed answer");
  verifyText(account, text, signature.replaceAll("\\/", "/"));
  return text;
}

/** The JSON object after a mark, character by character, since the signature covers its exact text. */
function objectAfter(body: string, mark: string): string | null {
  const at = body.indexOf(mark);
  const start = at < 0 ? -1 : at + mark.length;
  if (start < 0 || body[start] !== "{") return null;
  let depth = 0;
  let quoted = false;
  for (let index = start; index < body.length; index++) {
    const character = body[index];
    if (quoted && character === "\\") index++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === "{") depth++;
    else if (!quoted && character === "}" && --depth === 0) return body.slice(start, index + 1);
  }
  return null;
}
