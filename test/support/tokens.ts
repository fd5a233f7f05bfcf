import { limits } from "../../config/limits.ts";
import { tokenKeys } from "../../services/token-keys.ts";
import { signToken, type TokenClaims } from "../../services/tokens.ts";

let sessions = 0;

/** The claims of a login of now, in a session that no other test has. */
export function claimsOf(userId: string, over: Partial<TokenClaims> = {}): TokenClaims {
  const issuedAt = Date.now();
  const sessionId = process.pid * 1_000_000 + ++sessions;
  return { userId, sessionId, issuedAt, expiresAt: issuedAt + limits.user.tokenTtlMs, ...over };
}

/** A token of the user, signed with this process's key, without a row of its session. */
export function tokenOf(userId: string, over: Partial<TokenClaims> = {}): string {
  return signToken(tokenKeys().signing, claimsOf(userId, over));
}
