import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { fail } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { SparseLog } from "../../../mixins/sparse-log.ts";
import type { TokenClaims } from "../../tokens.ts";
import { type JwtFault, type JwtVerifier, jwtFaultOf, type VerifiedJwt } from "./jwt-verifier.ts";
import type { PlatformUsers } from "./platform-users.ts";

type Jwt = VerifiedJwt & TokenClaims;

interface Kept {
  readonly jwt: Jwt;
  areNamesWritten: boolean;
}

interface Options {
  readonly verifier: Pick<JwtVerifier, "verify">;
  readonly users: Pick<PlatformUsers, "userIdOf" | "offerNames" | "forget" | "forgetUser">;
  /** Called for each JWT that is refused. */
  readonly refused: (fault: JwtFault) => void;
  readonly log: Pick<Log, "warn">;
}

/**
 * Logins by the platform's JWT. A verified JWT is kept by its hash until it expires, so that the next request with it
 * needs neither a signature nor a call. Whether it is revoked is checked elsewhere (logins.ts).
 */
export class PlatformLogins {
  private readonly options: Options;
  private readonly kept = new LRUCache<string, Kept>({ max: limits.jwt.loginsKept });
  /** JWTs that are being verified, by hash: requests at the same time share it. */
  private readonly running = new Map<string, Promise<Jwt>>();
  /** Changes when keys are dropped. */
  private keys = 0;
  private readonly refusals: SparseLog<{ fault: JwtFault; cause?: unknown }>;

  constructor(options: Options) {
    this.options = options;
    this.refusals = new SparseLog((about) => options.log.warn(about, "JWTs are refused: answered 401"));
  }

  /**
   * The login of a JWT that is valid now; without a wait where it is known. Fails: notLoggedIn; unavailable, where the
   * platform's keys or the user service are away and the JWT or its user is not known.
   */
  claimsOf(token: string): TokenClaims | Promise<TokenClaims> {
    const key = hash("sha256", token, "base64");
    const kept = this.kept.get(key);
    if (!kept) return this.verified(key, token);
    if (kept.jwt.expiresAt <= Date.now()) {
      this.kept.delete(key);
      throw this.refusal("expired");
    }
    if (!kept.areNamesWritten) kept.areNamesWritten = this.options.users.offerNames(kept.jwt);
    return kept.jwt;
  }

  /** Verifies everything again: a key is not valid any more. */
  forget(): void {
    this.keys++;
    this.kept.clear();
    this.running.clear();
  }

  /** The login of a JWT is revoked: its user may be erased, so the next request with it asks again who it is of. */
  revoked(token: string): void {
    const key = hash("sha256", token, "base64");
    const kept = this.kept.get(key);
    if (kept && this.options.users.forget(kept.jwt.externalId)) this.kept.delete(key);
  }

  /** A user was erased. */
  forgetUser(userId: string): void {
    this.options.users.forgetUser(userId);
    for (const [key, { jwt }] of this.kept.entries()) if (jwt.userId === userId) this.kept.delete(key);
  }

  private verified(key: string, token: string): Promise<Jwt> {
    let running = this.running.get(key);
    if (!running) {
      running = this.verify(key, token).finally(() => {
        if (this.running.get(key) === running) this.running.delete(key);
      });
      this.running.set(key, running);
    }
    return running;
  }

  private async verify(key: string, token: string): Promise<Jwt> {
    const { verifier, users } = this.options;
    const { keys } = this;
    let verified: VerifiedJwt;
    try {
      verified = await verifier.verify(token);
    } catch (error) {
      const fault = jwtFaultOf(error);
      if (fault) this.refusal(fault, error);
      throw error;
    }
    const jwt = { ...verified, userId: await users.userIdOf(verified) };
    // A call may take longer than the JWT is valid.
    if (jwt.expiresAt <= Date.now()) throw this.refusal("expired");
    if (keys === this.keys) this.kept.set(key, { jwt, areNamesWritten: users.offerNames(jwt) });
    return jwt;
  }

  private refusal(fault: JwtFault, error?: unknown): Error {
    this.options.refused(fault);
    // JWTs expire every day; any other fault is somebody's mistake, or an attack.
    const { cause } = (error as { data?: { cause?: unknown } } | undefined)?.data ?? {};
    if (fault !== "expired") this.refusals.add({ fault, cause });
    return fail("notLoggedIn");
  }
}
