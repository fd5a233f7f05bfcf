import { hash } from "node:crypto";
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { isExternalId } from "../../fields.ts";
import type { PlatformJwt } from "../../jwt-settings.ts";
import { isShownText } from "../../shown-text.ts";
import type { TokenClaims } from "../../tokens.ts";
import type { JwtKeys } from "./jwt-keys.ts";

const { leewayMs, tokenChars } = limits.jwt;
const { tokenTtlMs, nickNameChars, avatarChars } = limits.user;

/** What a valid JWT says. The times are as those of an own token. */
export interface VerifiedJwt extends Omit<TokenClaims, "userId"> {
  readonly externalId: string;
  /** Left out where the claim is not there, or cannot be shown. */
  readonly nickName?: string;
  readonly avatar?: string;
}

/** Why a JWT is refused, for logs and the label of a metric. */
export const jwtFaults = [
  ...(["malformed", "algorithm", "unknownKey", "unusableKey", "signature", "expired", "notYetValid"] as const),
  ...(["issuer", "audience", "claims", "userClaim", "tooOld"] as const),
] as const;
export type JwtFault = (typeof jwtFaults)[number];

const refused = (fault: JwtFault, cause?: string) => fail("notLoggedIn", { jwt: fault, cause });

/** The fault of a failure of `JwtVerifier.verify`. */
export function jwtFaultOf(error: unknown): JwtFault | undefined {
  const fault = (error as { data?: { jwt?: unknown } } | null)?.data?.jwt;
  return jwtFaults.find((one) => one === fault);
}

const ofClaim: Readonly<Record<string, JwtFault>> = { iss: "issuer", aud: "audience", nbf: "notYetValid" };

/** Errors that are not the library's own are those of Node for a key that does not fit the header, or is unusable. */
function faultOf(error: unknown): JwtFault {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return ofClaim[error.claim] ?? "claims";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JWKSNoMatchingKey) return "unknownKey";
  return error instanceof errors.JOSEError ? "malformed" : "unusableKey";
}

/** The first `chars` UTF-16 units, without half of a pair at the end. */
const cut = (text: string, chars: number) => text.slice(0, chars).replace(/[\uD800-\uDBFF]$/, "");

function nickNameIn(claim: unknown): string | undefined {
  if (typeof claim !== "string" || !isShownText(claim)) return undefined;
  return cut(claim.trim(), nickNameChars).trim() || undefined;
}

function avatarIn(claim: unknown): string | undefined {
  if (typeof claim !== "string" || claim.length > avatarChars || !isShownText(claim)) return undefined;
  return /^https?:\/\//.test(claim) && URL.canParse(claim) ? claim : undefined;
}

const form = /^([\w-]+\.[\w-]+)\.[\w-]+$/;

/** The claims' seconds as ms; `undefined` where there are none. */
const msOf = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.floor(seconds * 1_000));

/** Verifies the platform's JWTs, without a call but those for its keys. */
export class JwtVerifier {
  private readonly options: JWTVerifyOptions;
  private readonly claims: PlatformJwt["claims"];
  private readonly keys: JwtKeys;

  constructor({ issuer, audience, algorithms, claims }: Omit<PlatformJwt, "key">, keys: JwtKeys) {
    this.keys = keys;
    this.claims = claims;
    const clockTolerance = leewayMs / 1_000;
    this.options = { issuer, audience, algorithms: [...algorithms], clockTolerance, requiredClaims: ["exp"] };
  }

  /**
   * What a JWT says that is valid now. Any text may be given. Fails: notLoggedIn, with the fault in its data;
   * unavailable, where the key is not known and the platform's keys cannot be read.
   */
  async verify(token: string): Promise<VerifiedJwt> {
    const signed = token.length <= tokenChars ? form.exec(token)?.[1] : undefined;
    if (signed === undefined) throw refused("malformed");
    const payload = await this.payloadOf(token);
    return { ...this.userOf(payload), ...timesOf(payload, Date.now()), sessionId: sessionIdOf(signed) };
  }

  /** A JWT whose key is unknown, or that names none and whose signature fits none, is tried again with newer keys. */
  private async payloadOf(token: string): Promise<JWTPayload> {
    for (let tries = 1; ; tries++) {
      const { reading } = this.keys;
      try {
        return await this.payloadBy(token);
      } catch (error) {
        if (failureName(error) !== undefined) throw error;
        const isUnknown = error instanceof errors.JWKSNoMatchingKey;
        const mayBeNewer = isUnknown || (error instanceof errors.JWSSignatureVerificationFailed && !hasKeyId(token));
        if (tries < 3 && mayBeNewer && (await this.keys.renewed(reading))) continue;
        if (isUnknown && this.keys.isFailing)
          throw fail("unavailable", { cause: "a JWT has an unknown key, and the platform's keys cannot be read" });
        throw refused(faultOf(error), (error as Error).message);
      }
    }
  }

  /** Several keys fit a JWT that names none: each is tried. */
  private async payloadBy(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, this.keys.find, this.options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error)
        try {
          return (await jwtVerify(token, key, this.options)).payload;
        } catch (failed) {
          if (!(failed instanceof errors.JWSSignatureVerificationFailed)) throw failed;
        }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  private userOf(payload: JWTPayload): Pick<VerifiedJwt, "externalId" | "nickName" | "avatar"> {
    const claim = (name: string | undefined) =>
      name !== undefined && Object.hasOwn(payload, name) ? payload[name] : undefined;
    const externalId = claim(this.claims.user);
    if (typeof externalId !== "string" || !isExternalId(externalId)) throw refused("userClaim");
    const nickName = nickNameIn(claim(this.claims.nickName));
    const avatar = avatarIn(claim(this.claims.avatar));
    return {
      externalId,
      ...(nickName === undefined ? {} : { nickName }),
      ...(avatar === undefined ? {} : { avatar }),
    };
  }
}

function hasKeyId(token: string): boolean {
  return decodeProtectedHeader(token).kid !== undefined;
}

/**
 * The times of a JWT, as those of an own token: the user's logoutAll refuses what was issued until then, and is kept for
 * `limits.user.tokenTtlMs`. So a JWT is refused when it is older than that, and one without a time of issue, which is
 * taken for the oldest, where it would be valid for longer.
 */
function timesOf({ exp, iat }: JWTPayload, now: number): Pick<TokenClaims, "issuedAt" | "expiresAt"> {
  const issuedAt = msOf(iat);
  const endsAt = (msOf(exp) as number) + leewayMs;
  if (issuedAt === undefined) {
    if (endsAt > now + tokenTtlMs) throw refused("tooOld");
    return { issuedAt: 0, expiresAt: endsAt };
  }
  if (issuedAt > now + leewayMs) throw refused("notYetValid");
  const expiresAt = Math.min(endsAt, issuedAt + tokenTtlMs);
  if (expiresAt <= now) throw refused("tooOld");
  return { issuedAt, expiresAt };
}

/**
 * A number of the JWT, for its logout: 53 bits of a hash, never 0. Of what is signed alone, since a signature may have
 * several spellings.
 */
function sessionIdOf(signed: string): number {
  const bytes = Buffer.from(hash("sha256", signed, "hex").slice(0, 14), "hex");
  return (bytes.readUInt8(0) & 0x1f) * 2 ** 48 + bytes.readUIntBE(1, 6) || 1;
}
