import { limits } from "../../config/limits.ts";
import { tokenKeys } from "../../services/token-keys.ts";
import { signToken } from "../../services/tokens.ts";

/** A login for each of these users, without a row of its session: the tokens, in the users' order. */
export function seedTokens(userIds: readonly string[]): string[] {
  const { signing } = tokenKeys();
  const issuedAt = Date.now();
  const expiresAt = issuedAt + limits.user.tokenTtlMs;
  return userIds.map((userId, n) => signToken(signing, { userId, sessionId: n + 1, issuedAt, expiresAt }));
}
