/** The verification of a webhook, by the rules of Standard Webhooks. */
import type { webhooks } from "./generated/server-api.d.ts";

/** The name of an event. */
export type WebhookName = keyof webhooks;
/** What is posted of an event: `{id, type, timestamp, data}`. `type` tells which it is; later versions may have others. */
export type WebhookEvent<Name extends WebhookName = WebhookName> = {
  [Each in Name]: webhooks[Each] extends { post: { requestBody: { content: { "application/json": infer Body } } } }
    ? Body
    : never;
}[Name];

/** Why a webhook was not accepted. */
export type WebhookFault = "missingHeader" | "badTimestamp" | "tooOld" | "tooNew" | "badSignature" | "badBody";

export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly fault: WebhookFault;
  constructor(fault: WebhookFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Webhook {
  /** `whsec_...`; several while a secret is rotated: one that fits is enough. */
  secrets: string | readonly string[];
  /** Of the request: `Headers`, or an object as Node's `request.headers`. */
  headers: Headers | HeaderValues;
  /** The body as it came, before any parsing. */
  rawBody: string | Uint8Array;
  /** How far the time of the webhook may be from this machine's, seconds: 300. */
  toleranceS?: number;
  /** Milliseconds, for tests. */
  now?: () => number;
}

const PREFIX = "whsec_";
const VERSION = "v1,";
/** More signatures are not looked at: a rotation has two. */
const SIGNATURES = 16;
const TOLERANCE_S = 300;

/**
 * Resolves to the event where the signature of one of the secrets is right and the time is near. Rejects with a
 * WebhookError otherwise: answer 400 then. The `id` is the same in every delivery of an event: handle each once. A
 * secret that is malformed, or none, is a TypeError.
 */
export async function verifyWebhook(webhook: Webhook): Promise<WebhookEvent> {
  const { secrets, headers, rawBody, toleranceS = TOLERANCE_S, now = Date.now } = webhook;
  const keys = (typeof secrets === "string" ? [secrets] : secrets).map(keyOf);
  if (keys.length === 0) throw new TypeError("no secret to verify a webhook with");
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature")
    .split(" ", SIGNATURES)
    .filter((signature) => signature.startsWith(VERSION))
    .map((signature) => bytesOf(signature.slice(VERSION.length)));
  checkTime(timestamp, toleranceS, now());
  const body = typeof rawBody === "string" ? new TextEncoder().encode(rawBody) : rawBody;
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  if (!(await isSigned(keys, signatures, signed)))
    throw new WebhookError("badSignature", "the webhook has no signature of these secrets");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as WebhookEvent;
  } catch {
    throw new WebhookError("badBody", "the webhook's body is no JSON");
  }
}

/** Web Crypto compares in constant time. Every pair is tried, so the time does not tell which secret fits. */
async function isSigned(
  keys: readonly Uint8Array<ArrayBuffer>[],
  signatures: readonly (Uint8Array<ArrayBuffer> | undefined)[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  let found = false;
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
    for (const signature of signatures)
      if (signature !== undefined && (await crypto.subtle.verify("HMAC", key, signature, signed))) found = true;
  }
  return found;
}

function checkTime(timestamp: string, toleranceS: number, nowMs: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookError("badTimestamp", "webhook-timestamp is no time");
  const ageS = Math.floor(nowMs / 1_000) - Number(timestamp);
  if (ageS > toleranceS) throw new WebhookError("tooOld", `the webhook is ${ageS} s old`);
  if (ageS < -toleranceS) throw new WebhookError("tooNew", `the webhook is ${-ageS} s ahead of this clock`);
}

function headerOf(headers: Headers | HeaderValues, name: string): string {
  const value =
    typeof headers.get === "function" ? (headers as Headers).get(name) : plainHeader(headers as never, name);
  if (typeof value !== "string" || value === "") throw new WebhookError("missingHeader", `${name} is missing`);
  return value;
}

function plainHeader(headers: HeaderValues, name: string): unknown {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) && found.length === 1 ? found[0] : found;
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const key = bytesOf(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (key === undefined || key.length === 0) throw new TypeError("a webhook secret is whsec_ and base64");
  return key;
}

/** The bytes of a base64 text; undefined where it is none. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
