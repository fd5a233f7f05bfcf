import { createHmac, timingSafeEqual } from "node:crypto";
import { limits } from "../config/limits.ts";
import type { NamedKey } from "../config/named-keys.ts";
import { isUserId } from "./fields.ts";

/**
 * The tokens of logins: `v1.KEY.PAYLOAD.MAC`. KEY names the key, PAYLOAD is base64url of 27 bytes (user id, session id,
 * times of issue and expiry, big-endian), MAC is base64url of HMAC-SHA256 over everything before its dot. The version
 * alone fixes the algorithm. A token holds no secret but its MAC, and is verified without a query. Whether it is
 * revoked is checked elsewhere (services/api-gateway/logins/).
 */

/** A key of the setting TOKEN_KEYS. */
export type TokenKey = NamedKey;

export interface TokenClaims {
  /** A decimal string, 1 to 2^64 − 1. */
  readonly userId: string;
  /** Random, 1 to 2^53 − 1; one for each login. */
  readonly sessionId: number;
  /** ms since 1970, greater than that of each earlier token of the user: see t_user.last_issued_ms. */
  readonly issuedAt: number;
  /** ms since 1970. */
  readonly expiresAt: number;
}

/**
 * Why a token is refused. Those after `forged` have the right MAC. `impossible`: `signToken` makes none with such
 * claims, so somebody else has the key.
 */
export type TokenFault = "malformed" | "unknownKey" | "forged" | "impossible" | "expired" | "fromTheFuture";

const version = "v1";
const payloadBytes = 27;
const form = /^v1\.([A-Za-z0-9_-]{1,16})\.([A-Za-z0-9_-]{36})\.([A-Za-z0-9_-]{43})$/;
const longest = `${version}.`.length + 16 + 1 + 36 + 1 + 43;
const times = 2 ** 48;

function macOf({ secret }: TokenKey, text: string): string {
  return createHmac("sha256", secret).update(text).digest("base64url");
}

function isTime(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < times;
}

/** What is wrong with the claims of a token, at any time; `undefined` where they are valid. */
function problemOf({ userId, sessionId, issuedAt, expiresAt }: TokenClaims): string | undefined {
  if (!isUserId(userId)) return "a token needs a user id";
  if (!Number.isSafeInteger(sessionId) || sessionId < 1) return `not a session id: ${sessionId}`;
  const life = expiresAt - issuedAt;
  if (!isTime(issuedAt) || !isTime(expiresAt) || life <= 0 || life > limits.user.tokenTtlMs)
    return `not times of a token: ${issuedAt}, ${expiresAt}`;
  return undefined;
}

/** Whether a text has the form of an own token, be it valid or not; a JWT never has. */
export const isOwnToken = (token: string): boolean => token.startsWith(`${version}.`);

/** @throws RangeError where a claim is out of its range. Pure: nothing is stored, so no session is opened by it. */
export function signToken(key: TokenKey, claims: TokenClaims): string {
  const problem = problemOf(claims);
  if (problem !== undefined) throw new RangeError(problem);
  const { userId, sessionId, issuedAt, expiresAt } = claims;
  const payload = Buffer.allocUnsafe(payloadBytes);
  payload.writeBigUInt64BE(BigInt(userId), 0);
  payload.writeUInt8(Math.floor(sessionId / times), 8);
  payload.writeUIntBE(sessionId % times, 9, 6);
  payload.writeUIntBE(issuedAt, 15, 6);
  payload.writeUIntBE(expiresAt, 21, 6);
  const signed = `${version}.${key.id}.${payload.toString("base64url")}`;
  return `${signed}.${macOf(key, signed)}`;
}

function claimsIn(payload: Buffer): TokenClaims {
  return {
    userId: payload.readBigUInt64BE(0).toString(),
    sessionId: payload.readUInt8(8) * times + payload.readUIntBE(9, 6),
    issuedAt: payload.readUIntBE(15, 6),
    expiresAt: payload.readUIntBE(21, 6),
  };
}

/**
 * The claims of a token that one of the keys signed, also where it has expired, else why it is refused. Any text may be
 * given. The MAC is compared in constant time, and as text, so that a token has only one spelling.
 */
export function readToken(
  keys: ReadonlyMap<string, TokenKey>,
  token: string,
): { claims: TokenClaims } | { fault: TokenFault } {
  const [, keyId, payload, mac] = (token.length <= longest && form.exec(token)) || [];
  if (keyId === undefined || payload === undefined || mac === undefined) return { fault: "malformed" };
  const key = keys.get(keyId);
  if (!key) return { fault: "unknownKey" };
  const right = macOf(key, token.slice(0, -mac.length - 1));
  if (!timingSafeEqual(Buffer.from(right, "latin1"), Buffer.from(mac, "latin1"))) return { fault: "forged" };
  const claims = claimsIn(Buffer.from(payload, "base64url"));
  return problemOf(claims) === undefined ? { claims } : { fault: "impossible" };
}

/** As readToken, and the token must be valid at `nowMs`, ms since 1970. Whether it is revoked is not checked. */
export function verifyToken(
  keys: ReadonlyMap<string, TokenKey>,
  token: string,
  nowMs: number,
): { claims: TokenClaims } | { fault: TokenFault } {
  const read = readToken(keys, token);
  if ("fault" in read) return read;
  if (read.claims.expiresAt <= nowMs) return { fault: "expired" };
  if (read.claims.issuedAt > nowMs + limits.user.tokenClockLeewayMs) return { fault: "fromTheFuture" };
  return read;
}
