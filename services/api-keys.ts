import { hash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

/**
 * API keys of the platform's backends: `ovk_<keyId>_<secret>`, the secret being 32 random bytes in base64url. Only the
 * SHA-256 of the whole key is kept: nobody can guess 256 random bits, so a slow hash would protect nothing.
 */
const form = /^ovk_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

const idCharacters = "abcdefghijklmnopqrstuvwxyz0123456789";

/** A new key; nobody else has it, and it is not kept anywhere. */
export function makeApiKey(): { keyId: string; key: string; digest: string } {
  const keyId = Array.from({ length: 12 }, () => idCharacters[randomInt(idCharacters.length)]).join("");
  const key = `ovk_${keyId}_${randomBytes(32).toString("base64url")}`;
  return { keyId, key, digest: apiKeyDigest(key) };
}

/** The id in a key; `undefined` where the text does not have the form of a key: it is certainly none. */
export function idOfApiKey(key: string): string | undefined {
  return form.exec(key)?.[1];
}

/** What is kept of a key: its SHA-256, hex. */
export function apiKeyDigest(key: string): string {
  return hash("sha256", key, "hex");
}

/** Whether a presented key is the one with this digest; compared in constant time. */
export function isApiKey(presented: string, digest: string): boolean {
  const given = Buffer.from(apiKeyDigest(presented));
  const kept = Buffer.from(digest);
  return given.length === kept.length && timingSafeEqual(given, kept);
}
