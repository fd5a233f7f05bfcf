import { randomBytes } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import { readToken, signToken, type TokenClaims, type TokenKey } from "../tokens.ts";
import { externalOfUsers } from "./external-user-store.ts";
import { writingForFeed } from "./feed-writes.ts";
import { deleteSession, deleteSessionsOf, insertSession, sessionsBeyond, writeRevocation } from "./session-store.ts";
import type { Revocation } from "./user.contract.ts";
import { nextIssueTime } from "./user-store.ts";

const { tokenTtlMs, tokensPerUser, tokenClockLeewayMs, issuedAheadMs } = limits.user;

/** 53 random bits, never 0. */
function newSessionId(): number {
  const bytes = randomBytes(7);
  return (bytes.readUInt8(0) & 0x1f) * 2 ** 48 + bytes.readUIntBE(1, 6) || newSessionId();
}

const revocationOf = ({ userId, sessionId, issuedAt, expiresAt }: TokenClaims): Revocation => ({
  ...{ userId, sessionId, expiresAt },
  issuedUntil: issuedAt,
});

const revoking = (mysql: Database, work: (tx: Transaction) => Promise<Revocation[]>): Promise<Revocation[]> =>
  writingForFeed(mysql, work, writeRevocation);

/**
 * Opens a session; its row is durable when this returns. The user's oldest sessions beyond `limits.user.tokensPerUser`
 * are ended, also where several logins run at once: the lock on the user's row puts them in order. Fails: userUnknown,
 * unavailable.
 */
export async function openSession(
  mysql: Database,
  key: TokenKey,
  userId: string,
): Promise<{ token: string; ended: Revocation[] }> {
  let token = "";
  const ended = await revoking(mysql, async (tx) => {
    const issuedAt = await nextIssueTime(tx, userId);
    const claims = { userId, sessionId: newSessionId(), issuedAt, expiresAt: issuedAt + tokenTtlMs };
    await insertSession(tx, claims);
    const beyond = (await sessionsBeyond(tx, userId, tokensPerUser)).map(revocationOf);
    for (const revocation of beyond) {
      await deleteSession(tx, userId, revocation.sessionId);
      await writeRevocation(tx, revocation);
    }
    token = signToken(key, claims);
    return beyond;
  });
  return { token, ended };
}

/**
 * The claims of a token that logout revokes; `undefined` where the token is not valid on any node. The caller has
 * verified it: so its key may be one that this node does not have yet, and its expiry is checked with room for the
 * difference of clocks. Fails: unavailable, where this node does not have its key: the token may be valid at the caller.
 */
export function revocableClaims(
  keys: ReadonlyMap<string, TokenKey>,
  token: string,
  nowMs: number,
): TokenClaims | undefined {
  const read = readToken(keys, token);
  if ("fault" in read) {
    if (read.fault === "unknownKey" || read.fault === "forged")
      throw fail("unavailable", { what: "the key of a token", fault: read.fault });
    return undefined;
  }
  const { issuedAt, expiresAt } = read.claims;
  return expiresAt <= nowMs - tokenClockLeewayMs || issuedAt > nowMs + issuedAheadMs ? undefined : read.claims;
}

/** Fails: invalidParam, where a login is issued, or valid, later than any token: it would be kept too long. */
export function requireOfItsTime({ issuedAt, expiresAt }: TokenClaims, nowMs: number): void {
  if (issuedAt > nowMs + issuedAheadMs || expiresAt > nowMs + issuedAheadMs + tokenTtlMs)
    throw fail("invalidParam", { field: "expiresAt" });
}

/** Ends the session of a token, also where its row is not there: the revocation alone ends it. Fails: unavailable. */
export function endSession(mysql: Database, claims: TokenClaims): Promise<Revocation[]> {
  return revoking(mysql, async (tx) => {
    const revocation = revocationOf(claims);
    await deleteSession(tx, claims.userId, claims.sessionId);
    await writeRevocation(tx, revocation);
    return [revocation];
  });
}

/**
 * Revokes all tokens of the user that were issued until now. A login that runs at the same time comes before or after
 * it, by the lock on the user's row, and its token has a lower or a higher time of issue: no clocks are compared.
 * A user of the platform has JWTs alone, which the platform's clock dates: those that it may have issued until now, with
 * a clock that is `limits.jwt.leewayMs` ahead, are revoked. Fails: userUnknown, unavailable.
 */
export function endAllSessions(mysql: Database, userId: string): Promise<Revocation[]> {
  return revoking(mysql, async (tx) => {
    const now = await nextIssueTime(tx, userId);
    const isOfPlatform = (await externalOfUsers(tx, [userId])).length > 0;
    const issuedUntil = isOfPlatform ? now + limits.jwt.leewayMs : now;
    const revocation = { userId, sessionId: 0, issuedUntil, expiresAt: issuedUntil + tokenTtlMs };
    await deleteSessionsOf(tx, userId);
    await writeRevocation(tx, revocation);
    return [revocation];
  });
}
