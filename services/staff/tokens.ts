import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";

/** The tokens of sessions and the setup codes: 256 and 160 random bits. token-macs.ts says what proves them. */

/** 256 random bits, as 43 characters. */
export function newSessionToken(): string {
  return randomBytes(32).toString("base64url");
}

/** 160 random bits, as 27 characters: short enough to be passed on and typed. */
export function newSetupCode(): string {
  return randomBytes(20).toString("base64url");
}

/** By what a token is found. Nobody can guess so many random bits, so a slow hash would protect nothing. */
export function tokenHash(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

/** What a browser must send beside its cookie. It follows from the token alone, and gives nothing of it away. */
export function csrfOf(token: string): string {
  return createHmac("sha256", token).update("ovation staff csrf").digest("base64url");
}

/** Whether two texts are equal, in a time that tells nothing. */
export function isSameSecret(presented: string, kept: string): boolean {
  return timingSafeEqual(tokenHash(presented), tokenHash(kept));
}
