import { fail, isFailure } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import type { TokenKeys } from "../../token-keys.ts";
import { isOwnToken, readToken, type TokenClaims, verifyToken } from "../../tokens.ts";
import type { Revocation } from "../../user/user.contract.ts";
import type { PlatformLogins } from "./platform-logins.ts";
import type { RevokedTokens } from "./revoked-tokens.ts";

const warnEveryMs = 60_000;

interface Options {
  readonly keys: TokenKeys;
  /** Logins by the platform's JWT, where the settings allow them. */
  readonly platform?: Pick<PlatformLogins, "claimsOf" | "revoked"> | undefined;
  readonly revoked: RevokedTokens;
  /** Whether `revoked` is new enough to let somebody in. */
  readonly isCurrent: () => boolean;
  readonly log: Log;
}

/** Revokes logins at the user service. */
export interface RevokeCalls {
  /** An own token: `user.logout`. */
  token(token: string): Promise<Revocation | null>;
  /** A login by the platform's JWT: `user.revokeLogin`. */
  claims(claims: TokenClaims): Promise<Revocation>;
}

/** Recognizes the kinds of login tokens by their form, and verifies own ones on this node, without a call. */
export class Logins {
  private readonly options: Options;
  /** The running calls, by token. */
  private readonly revoking = new Map<string, Promise<Revocation | null>>();
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: Options) {
    this.options = options;
  }

  /**
   * The claims of a token that is valid and not revoked: at once for an own token or a known JWT, and as a promise for
   * other JWTs. Fails: notLoggedIn; unavailable, where that is not known.
   */
  authenticate(token: string): TokenClaims | Promise<TokenClaims> {
    const { platform } = this.options;
    if (!platform || isOwnToken(token)) return this.unrevoked(this.ownClaimsOf(token));
    const claims = platform.claimsOf(token);
    const unrevoked = (known: TokenClaims) => {
      if (this.options.revoked.has(known)) platform.revoked(token);
      return this.unrevoked(known);
    };
    return claims instanceof Promise ? claims.then(unrevoked) : unrevoked(claims);
  }

  /** Checks the claims of a valid token again, after a wait. Fails: notLoggedIn; unavailable, as `authenticate`. */
  requireUnrevoked(claims: TokenClaims): void {
    const { revoked, isCurrent } = this.options;
    if (revoked.has(claims)) throw fail("notLoggedIn");
    if (!isCurrent()) throw fail("unavailable", { cause: "the copy of the revoked tokens is too old" });
  }

  /**
   * Revokes a token that may be valid, here or on a node with another clock; resolves to `null` where it is not.
   * Requests at the same time for one token share a call. Fails: unavailable.
   */
  async revokeOnce(token: string, calls: RevokeCalls): Promise<Revocation | null> {
    const { platform, revoked } = this.options;
    if (!platform || isOwnToken(token)) return this.isLive(token) ? this.shared(token, () => calls.token(token)) : null;
    const claims = await validOrNull(() => platform.claimsOf(token));
    return claims && !revoked.has(claims) ? this.shared(token, () => calls.claims(claims)) : null;
  }

  private shared(token: string, revoke: () => Promise<Revocation | null>): Promise<Revocation | null> {
    let call = this.revoking.get(token);
    if (!call) {
      call = revoke().finally(() => this.revoking.delete(token));
      this.revoking.set(token, call);
    }
    return call;
  }

  private unrevoked(claims: TokenClaims): TokenClaims {
    this.requireUnrevoked(claims);
    return claims;
  }

  private isLive(token: string): boolean {
    const { keys, revoked } = this.options;
    const read = readToken(keys.all, token);
    const since = Date.now() - limits.user.tokenClockLeewayMs;
    return "claims" in read && read.claims.expiresAt > since && !revoked.has(read.claims);
  }

  private ownClaimsOf(token: string): TokenClaims {
    const { keys, log } = this.options;
    const verified = verifyToken(keys.all, token, Date.now());
    if ("claims" in verified) return verified.claims;
    if (verified.fault === "fromTheFuture" && performance.now() - this.warnedAt > warnEveryMs) {
      this.warnedAt = performance.now();
      log.warn({}, "a token was issued in the future and is refused: this node's clock and the database's differ");
    }
    throw fail("notLoggedIn");
  }
}

/** The claims of a JWT, `null` where it is not valid. Fails: unavailable. */
async function validOrNull(read: () => TokenClaims | Promise<TokenClaims>): Promise<TokenClaims | null> {
  try {
    return await read();
  } catch (error) {
    if (isFailure(error, "notLoggedIn")) return null;
    throw error;
  }
}
