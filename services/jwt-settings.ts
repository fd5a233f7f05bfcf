import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { settingsOf } from "../config/config.ts";
import { pem, secretBytes, text, url } from "../config/setting-kinds.ts";
import type { SettingProblem, SettingsBlock } from "../config/settings-block.ts";

const ofRsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const ofCurve: Readonly<Record<string, string>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };
const ofEd25519 = ["EdDSA", "Ed25519"];
/** With the bytes that a secret needs at least: those of the hash (RFC 7518, 3.2). */
const ofSecret: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const asymmetric = [...ofRsa, ...Object.values(ofCurve), ...ofEd25519];

/** The algorithms that fit a public key; none where it cannot verify JWTs. */
function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): readonly string[] {
  if (type === "rsa" && (details?.modulusLength ?? 0) >= 2_048) return ofRsa;
  if (type === "ed25519") return ofEd25519;
  const ofKey = type === "ec" ? ofCurve[details?.namedCurve ?? ""] : undefined;
  return ofKey === undefined ? [] : [ofKey];
}

const verifying = {
  isUsable: (key: KeyObject) => algorithmsOf(key).length > 0,
  is: "RSA key of 2048 bits or more, key on P-256, P-384 or P-521, or Ed25519 key",
};

type Given = Readonly<Record<string, string | undefined>>;

/** Those that fit the kind of the key. A symmetric one never fits a public key, and `none` fits nothing. */
function fitting({ JWT_SECRET: secret, JWT_PUBLIC_KEY: publicKey }: Given): readonly string[] {
  if (secret !== undefined)
    return Object.keys(ofSecret).filter((name) => Buffer.byteLength(secret) >= (ofSecret[name] as number));
  return publicKey === undefined ? asymmetric : algorithmsOf(createPublicKey(publicKey));
}

/** With a secret HS256 alone; else all that fit the key. */
function allowed(given: Given): readonly string[] {
  const { JWT_ALGORITHMS: list, JWT_SECRET: secret } = given;
  if (list !== undefined) return list.split(",").map((name) => name.trim());
  return secret === undefined ? fitting(given) : ["HS256"];
}

function problemsOf(given: Given): SettingProblem[] {
  const keys = ["JWT_JWKS_URL", "JWT_PUBLIC_KEY", "JWT_SECRET"].filter((name) => given[name] !== undefined);
  if (keys.length !== 1)
    return [[keys[1] ?? "JWT_JWKS_URL", "exactly one of JWT_JWKS_URL, JWT_PUBLIC_KEY and JWT_SECRET must be set"]];
  const fits = fitting(given);
  const others = allowed(given).filter((name) => !fits.includes(name));
  const problem = `has algorithms that do not fit ${keys[0]}: with it only ${fits.join(", ")} can be allowed`;
  return others.length > 0 ? [["JWT_ALGORITHMS", problem]] : [];
}

/** Of gateways: logins by the platform's JWT. */
export const jwtSettings: SettingsBlock = {
  title: "Logins by JWT",
  settings: {
    JWT_ISSUER: {
      kind: text,
      text: [
        "JWTs of a platform with users of its own as logins, for gateways. All of JWT_ISSUER, JWT_AUDIENCE and one of",
        "JWT_JWKS_URL, JWT_PUBLIC_KEY and JWT_SECRET, or none. A JWT needs these as iss and aud, and exp; it should have iat.",
      ],
    },
    JWT_AUDIENCE: { kind: text },
    JWT_JWKS_URL: {
      kind: url("http:", "https:"),
      optional: true,
      text: [
        "Where the platform has its public keys (JWKS). Read every minute, and at once for a JWT with an unknown key.",
        "While it cannot be read, the keys that were read last stay valid. No redirect is followed. In production http:// is",
        "for this machine, private networks and PLAINTEXT_HOSTS alone.",
      ],
    },
    JWT_PUBLIC_KEY: {
      kind: pem("public", verifying),
      optional: true,
      text: ["Or its one public key: PEM (RSA, P-256, P-384, P-521, Ed25519), here with \\n, or as file:PATH."],
    },
    JWT_SECRET: {
      kind: secretBytes(Math.min(...Object.values(ofSecret))),
      optional: true,
      text: [
        "Or a secret that it shares, at least 32 bytes of text (48 for HS384, 64 for HS512), here or as file:PATH. Whoever",
        "has it can log in as anybody.",
      ],
    },
    JWT_ALGORITHMS: {
      kind: text,
      optional: true,
      text: [
        "The algorithms that are allowed, separated by commas. Unset: HS256 with a secret, else those that fit the key:",
        "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519.",
      ],
    },
    JWT_USER_CLAIM: {
      kind: text,
      optional: true,
      text: ["The claim with the user's id at the platform, a text of 1 to 64 characters. Unset: sub."],
    },
    JWT_NAME_CLAIM: {
      kind: text,
      optional: true,
      text: [
        "The claims with the user's nickname (cut to 30 characters) and the URL of the avatar (at most 300). Unset: they are",
        "not read from JWTs.",
      ],
    },
    JWT_AVATAR_CLAIM: { kind: text, optional: true },
  },
  problems: problemsOf,
};

/** Who signs the platform's JWTs, and what is in them. */
export interface PlatformJwt {
  readonly issuer: string;
  readonly audience: string;
  /** The URL of a JWKS, or the one key. */
  readonly key: URL | KeyObject;
  readonly algorithms: readonly string[];
  readonly claims: { readonly user: string; readonly nickName?: string; readonly avatar?: string };
}

/**
 * The settings of logins by JWT; `null` where they are not set. @throws Error that lists every problem of this process's
 * settings
 */
export function platformJwt(): PlatformJwt | null {
  const given = settingsOf(jwtSettings);
  if (!given) return null;
  const { JWT_JWKS_URL: jwks, JWT_PUBLIC_KEY: publicKey, JWT_SECRET: secret = "" } = given;
  const { JWT_USER_CLAIM: user = "sub", JWT_NAME_CLAIM: nickName, JWT_AVATAR_CLAIM: avatar } = given;
  const ownKey = () => (publicKey === undefined ? createSecretKey(secret, "utf8") : createPublicKey(publicKey));
  return {
    issuer: given.JWT_ISSUER as string,
    audience: given.JWT_AUDIENCE as string,
    key: jwks === undefined ? ownKey() : new URL(jwks),
    algorithms: allowed(given),
    claims: { user, ...(nickName === undefined ? {} : { nickName }), ...(avatar === undefined ? {} : { avatar }) },
  };
}
