import { fail } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import type { TokenKeys } from "../../token-keys.ts";
import { readToken, type TokenClaims, verifyToken } from "../../tokens.ts";
import type { Revocation } from "../../user/user.contract.ts";
import type { RevokedTokens } from "./revoked-tokens.ts";

const warnEveryMs = 60_000;

interface Options {
  readonly keys: TokenKeys;
  readonly revoked: RevokedTokens;
  /** Whether `revoked` is new enough to let somebody in. */
  readonly isCurrent: () => boolean;
  readonly log: Log;
}

/** Verifies login tokens on this node, without a call. */
export class Logins {
  private readonly options: Options;
  /** The running calls, by token. */
  private readonly revoking = new Map<string, Promise<Revocation | null>>();
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: Options) {
    this.options = options;
  }

  /** The claims of a token that is valid and not revoked. Fails: notLoggedIn; unavailable, where that is not known. */
  authenticate(token: string): TokenClaims {
    const claims = this.claimsOf(token);
    if (!claims) throw fail("notLoggedIn");
    this.requireUnrevoked(claims);
    return claims;
  }

  /** Checks the claims of a valid token again, after a wait. Fails: notLoggedIn; unavailable, as `authenticate`. */
  requireUnrevoked(claims: TokenClaims): void {
    const { revoked, isCurrent } = this.options;
    if (revoked.has(claims)) throw fail("notLoggedIn");
    if (!isCurrent()) throw fail("unavailable", { cause: "the copy of the revoked tokens is too old" });
  }

  /**
   * Calls `revoke` where the token may be valid, here or on a node with another clock, else resolves to `null`. Requests
   * at the same time for one token share a call.
   */
  async revokeOnce(token: string, revoke: () => Promise<Revocation | null>): Promise<Revocation | null> {
    if (!this.isLive(token)) return null;
    let call = this.revoking.get(token);
    if (!call) {
      call = revoke().finally(() => this.revoking.delete(token));
      this.revoking.set(token, call);
    }
    return call;
  }

  private isLive(token: string): boolean {
    const { keys, revoked } = this.options;
    const read = readToken(keys.all, token);
    const since = Date.now() - limits.user.tokenClockLeewayMs;
    return "claims" in read && read.claims.expiresAt > since && !revoked.has(read.claims);
  }

  private claimsOf(token: string): TokenClaims | undefined {
    const { keys, log } = this.options;
    const verified = verifyToken(keys.all, token, Date.now());
    if ("claims" in verified) return verified.claims;
    if (verified.fault === "fromTheFuture" && performance.now() - this.warnedAt > warnEveryMs) {
      this.warnedAt = performance.now();
      log.warn({}, "a token was issued in the future and is refused: this node's clock and the database's differ");
    }
    return undefined;
  }
}
