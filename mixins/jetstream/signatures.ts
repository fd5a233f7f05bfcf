import { createHmac, timingSafeEqual } from "node:crypto";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";

/**
 * Signatures of messages that order a service to move money. Permissions of the server do not suffice for them: whoever
 * may pull from a stream chooses the subject to which the server sends the message, and so can put a body of his choice
 * into any other stream.
 *
 * A signed message is a JSON object that begins with exactly `{"v":1,"keyId":"KEY","sig":"SIG",`. KEY is the key's name
 * and four hex digits of its secret's fingerprint, as in `k1.5f3a`: nodes that have different secrets under one name do
 * not know each other's key, and no genuine message counts as forged. SIG is base64url of HMAC-SHA256, with that key,
 * over the version, the namespace, the subject, the signer and every byte after that beginning. Bytes are compared,
 * never what JSON makes of them, so a signed message has one spelling. The message's id in JetStream is not signed,
 * since a replay changes it. Nothing here talks to a server.
 */

/** Where a message belongs: it is refused everywhere else. */
export interface MessagePlace {
  readonly namespace: string;
  /** As on the server, with the namespace's prefix. */
  readonly subject: string;
  /** The service that may give the order. */
  readonly signer: string;
}

/**
 * Why a message is refused. `unknownKey`: it may be genuine, with a key that was removed too early or that another node
 * has alone, or with another secret under that name; nobody can tell.
 */
export const signatureFaults = ["unsigned", "unknownKey", "wrongSignature"] as const;
export type SignatureFault = (typeof signatureFaults)[number];

/** Signs and checks the messages of one signer, with the keys of this process. */
export interface MessageSignatures {
  /** The setting that has the keys. */
  readonly setting: string;
  /** The signed message; `text` is a JSON object that is not empty. `subject`: without the namespace's prefix. */
  sign(subject: string, text: string): string;
  /** `undefined` where the message is genuine. `subject`: as on the server. Never throws. */
  faultOf(subject: string, data: Uint8Array): SignatureFault | undefined;
  /** A genuine message without its signature, e.g. to sign it again. `subject`: without the namespace's prefix. */
  open(subject: string, text: string): { readonly body: string } | { readonly fault: SignatureFault };
  /**
   * An id for JetStream, which drops messages whose id it has seen. Nobody without the keys can compute it, and so have
   * a genuine message dropped by using its id first. Equal for equal texts, as long as the first key is the same.
   */
  idOf(text: string): string;
}

const beginning = /^\{"v":1,"keyId":"(([A-Za-z0-9_-]{1,16})\.[0-9a-f]{4})","sig":"([A-Za-z0-9_-]{43})",/;
const longestBeginning = '{"v":1,"keyId":"","sig":"",'.length + 16 + 5 + 43;

const keyIds = new WeakMap<NamedKey, string>();

/** What a message says of its key. The fingerprint tells nothing of a secret of 32 random bytes. */
function keyIdOf(key: NamedKey): string {
  let keyId = keyIds.get(key);
  if (keyId === undefined) {
    keyId = `${key.id}.${createHmac("sha256", key.secret).update("ovation key v1").digest("hex").slice(0, 4)}`;
    keyIds.set(key, keyId);
  }
  return keyId;
}

/** No part can contain a line break, so no two places have the same text. */
function contextOf({ namespace, subject, signer }: MessagePlace): string {
  return `ovation message v1\n${namespace}\n${subject}\n${signer}\n`;
}

function macOf({ secret }: NamedKey, place: MessagePlace, rest: string | Uint8Array): string {
  return createHmac("sha256", secret).update(contextOf(place)).update(rest).digest("base64url");
}

/** @param text a JSON object with one member or more. */
export function signedText({ signing }: NamedKeys, place: MessagePlace, text: string): string {
  const rest = text.slice(1);
  return `{"v":1,"keyId":"${keyIdOf(signing)}","sig":"${macOf(signing, place, rest)}",${rest}`;
}

/** As much of a message as its beginning may have. */
function headOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, longestBeginning)).toString("latin1");
}

/** `undefined` where one of the keys signed the message for this place. The signature is compared in constant time. */
export function signatureFault(keys: NamedKeys, place: MessagePlace, data: Uint8Array): SignatureFault | undefined {
  const [start, keyId, name, sig] = beginning.exec(headOf(data)) ?? [];
  if (start === undefined || name === undefined || sig === undefined) return "unsigned";
  const key = keys.all.get(name);
  if (!key || keyIdOf(key) !== keyId) return "unknownKey";
  const right = macOf(key, place, data.subarray(start.length));
  return timingSafeEqual(Buffer.from(right, "latin1"), Buffer.from(sig, "latin1")) ? undefined : "wrongSignature";
}

/** The header with the signature of a message whose body stays as it is: `KEY SIG`, as above. */
export const signatureHeader = "Signature";

function detachedMac(
  { secret }: NamedKey,
  { namespace, subject, signer }: MessagePlace,
  data: string | Uint8Array,
): string {
  const mac = createHmac("sha256", secret).update(`ovation event v1\n${namespace}\n${subject}\n${signer}\n`);
  return mac.update(data).digest("base64url");
}

/** What `signatureHeader` has for a message of this place. */
export function detachedSignature({ signing }: NamedKeys, place: MessagePlace, text: string): string {
  return `${keyIdOf(signing)} ${detachedMac(signing, place, text)}`;
}

/** As `signatureFault`, by the header's value; "" where there is none. */
export function detachedFault(
  keys: NamedKeys,
  place: MessagePlace,
  value: string,
  data: Uint8Array,
): SignatureFault | undefined {
  const [, keyId, name = "", sig = ""] = /^(([A-Za-z0-9_-]{1,16})\.[0-9a-f]{4}) ([A-Za-z0-9_-]{43})$/.exec(value) ?? [];
  if (keyId === undefined) return "unsigned";
  const key = keys.all.get(name);
  if (!key || keyIdOf(key) !== keyId) return "unknownKey";
  const right = detachedMac(key, place, data);
  return timingSafeEqual(Buffer.from(right, "latin1"), Buffer.from(sig, "latin1")) ? undefined : "wrongSignature";
}

/** The message without its signature; as it is where it has none. */
export function bodyOf(text: string): string {
  const [start] = beginning.exec(text.slice(0, longestBeginning)) ?? [];
  return start === undefined ? text : `{${text.slice(start.length)}`;
}

/** See `MessageSignatures.idOf`; 32 characters. */
export function messageIdOf(
  { signing }: NamedKeys,
  { namespace, signer }: Omit<MessagePlace, "subject">,
  text: string,
): string {
  const mac = createHmac("sha256", signing.secret);
  return mac.update(`ovation message id v1\n${namespace}\n${signer}\n`).update(text).digest("base64url").slice(0, 32);
}

interface Signing {
  readonly setting: string;
  readonly keys: NamedKeys;
  readonly signer: string;
  readonly namespace: string;
  /** Of the namespace's subjects on the server. */
  readonly prefix: string;
}

/** The signatures of one signer in one namespace. */
export function messageSignatures({ setting, keys, signer, namespace, prefix }: Signing): MessageSignatures {
  const placeOf = (subject: string) => ({ namespace, subject, signer });
  return {
    setting,
    sign: (subject, text) => signedText(keys, placeOf(prefix + subject), text),
    faultOf: (subject, data) => signatureFault(keys, placeOf(subject), data),
    open: (subject, text) => {
      const fault = signatureFault(keys, placeOf(prefix + subject), Buffer.from(text));
      return fault ? { fault } : { body: bodyOf(text) };
    },
    idOf: (text) => messageIdOf(keys, { namespace, signer }, text),
  };
}

/** Why a message is refused, in words, with the name of the key that it says it was signed with. */
export function forgedReason(fault: SignatureFault, { setting }: MessageSignatures, data: Uint8Array): string {
  const keyId = beginning.exec(headOf(data))?.[1] ?? "";
  return {
    unsigned: "forged: it has no signature",
    unknownKey: `forged, or its key was removed too early: unknown key, ${setting} has no key named ${keyId}, by name and fingerprint`,
    wrongSignature: `forged: key ${keyId} did not sign this content for this namespace and subject`,
  }[fault];
}
