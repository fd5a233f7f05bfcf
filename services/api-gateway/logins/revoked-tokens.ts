import { limits } from "../../../config/limits.ts";
import type { TokenClaims } from "../../tokens.ts";
import type { Revocation } from "../../user/user.contract.ts";

const dayMs = 24 * 3_600_000;

type Revoked = Pick<TokenClaims, "userId" | "sessionId" | "issuedAt" | "expiresAt">;

/**
 * Whether a revocation may be of a token that was issued by `nowMs`, as far as clocks may differ. One that is further
 * ahead would be held for as long, and `user.revocations` alone can tell that it is true.
 */
export function isOfItsTime({ issuedUntil, expiresAt }: Revocation, nowMs: number): boolean {
  const issuedBy = nowMs + limits.user.issuedAheadMs;
  return issuedUntil <= issuedBy && expiresAt <= issuedBy + limits.user.tokenTtlMs;
}

/**
 * The revoked tokens that have not expired, in memory. Sessions are kept by the day on which their token expires, which
 * the token itself names: one look-up a check, and a day that is over is dropped as a whole. A revoked session takes
 * about 50 bytes (decision 0050). Revocations may be added in any order and many times.
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

  /** Drops what is about expired tokens alone. */
  dropExpired(nowMs: number): void {
    for (const day of this.sessions.keys()) if ((day + 1) * dayMs <= nowMs) this.sessions.delete(day);
    for (const [userId, { expiresAt }] of this.users) if (expiresAt <= nowMs) this.users.delete(userId);
  }

  get size(): number {
    return [...this.sessions.values()].reduce((sum, { size }) => sum + size, this.users.size);
  }
}
