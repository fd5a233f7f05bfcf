import { limits } from "../../../config/limits.ts";
import type { TokenClaims } from "../../tokens.ts";
import type { Revocation } from "../../user/user.contract.ts";

const dayMs = 24 * 3_600_000;

type Revoked = Pick<TokenClaims, "userId" | "sessionId" | "issuedAt" | "expiresAt">;

/**
 * Whether the times of a broadcast revocation are plausible at `nowMs`, where clocks may differ by
 * `limits.user.issuedAheadMs`. Others would be kept too long. If they are genuine, `user.revocations` has them.
 */
export function isOfItsTime({ issuedUntil, expiresAt }: Revocation, nowMs: number): boolean {
  const issuedBy = nowMs + limits.user.issuedAheadMs;
  return issuedUntil <= issuedBy && expiresAt <= issuedBy + limits.user.tokenTtlMs;
}

/**
 * The revoked tokens that have not expired, in memory. Sessions are grouped by the day on which their token expires,
 * which the token itself contains: a check needs one lookup, and a day that is over is dropped as a whole. A revoked
 * session takes about 56 bytes (decision 0050). Revocations may be added in any order and many times.
 */
export class RevokedTokens {
  private readonly sessions = new Map<number, Set<number>>();
  /** Of users whose tokens were all revoked: until which time of issue, and when the last of them expires. */
  private readonly users = new Map<string, { issuedUntil: number; expiresAt: number }>();

  add({ userId, sessionId, issuedUntil, expiresAt }: Revocation): void {
    if (sessionId === 0) {
      if ((this.users.get(userId)?.issuedUntil ?? -1) < issuedUntil) this.users.set(userId, { issuedUntil, expiresAt });
      return;
    }
    const day = Math.floor(expiresAt / dayMs);
    const ofDay = this.sessions.get(day);
    if (ofDay) ofDay.add(sessionId);
    else this.sessions.set(day, new Set([sessionId]));
  }

  has({ userId, sessionId, issuedAt, expiresAt }: Revoked): boolean {
    if (this.sessions.get(Math.floor(expiresAt / dayMs))?.has(sessionId)) return true;
    const all = this.users.get(userId);
    return all !== undefined && issuedAt <= all.issuedUntil;
  }

  /** Drops the revocations whose tokens have all expired. */
  dropExpired(nowMs: number): void {
    for (const day of this.sessions.keys()) if ((day + 1) * dayMs <= nowMs) this.sessions.delete(day);
    for (const [userId, { expiresAt }] of this.users) if (expiresAt <= nowMs) this.users.delete(userId);
  }

  get size(): number {
    return [...this.sessions.values()].reduce((sum, { size }) => sum + size, this.users.size);
  }
}
