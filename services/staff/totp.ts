import { Secret, TOTP } from "otpauth";
import { limits } from "../../config/limits.ts";

/** Codes of authenticator apps: RFC 6238 with SHA-1, six digits, which every app can. */

const { totpStepSeconds, totpLeewaySteps } = limits.staff;

/** 160 random bits, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

const appOf = (secret: string, name: string) =>
  new TOTP({
    ...{ issuer: "Ovation", label: name, algorithm: "SHA1", digits: 6, period: totpStepSeconds },
    secret: Secret.fromBase32(secret),
  });

/** What the app scans. */
export function totpUri(secret: string, name: string): string {
  return appOf(secret, name).toString();
}

/**
 * The step (of 30 s since 1970) that a code belongs to, if it is of the present step or its neighbours; `undefined`: the
 * code is wrong. Blanks in it do not count.
 */
export function stepOfCode(secret: string, code: string, now: number = Date.now()): number | undefined {
  const token = code.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = appOf(secret, "").validate({ token, timestamp: now, window: totpLeewaySteps });
  return delta === null ? undefined : Math.floor(now / (totpStepSeconds * 1_000)) + delta;
}
