import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { platformJwt } from "../../../services/jwt-settings.ts";

const usable = { JWT_ISSUER: "https://platform.example", JWT_AUDIENCE: "ovation" };
const pem = (key: KeyObject) =>
  key.export({ type: key.type === "private" ? "pkcs8" : "spki", format: "pem" }) as string;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const weak = generateKeyPairSync("rsa", { modulusLength: 1_024 });
const curve = (namedCurve: string) => pem(generateKeyPairSync("ec", { namedCurve }).publicKey);
const ed25519 = pem(generateKeyPairSync("ed25519").publicKey);
const secret = "s".repeat(32);

/** What a gateway reads with these settings, or the problem that stops its start. */
function read(env: Record<string, string>) {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith("JWT_")) delete process.env[name];
  Object.assign(process.env, env);
  try {
    return platformJwt();
  } catch (error) {
    return (error as Error).message;
  } finally {
    process.env = before;
  }
}

const algorithms = (env: Record<string, string>) => {
  const found = read({ ...usable, ...env });
  return typeof found === "string" ? found : found?.algorithms;
};
const ofRsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const all = [...ofRsa, "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

test("without settings there are no logins by JWT", () => {
  expect(read({})).toBeNull();
});

test("the algorithms follow from the kind of the key", () => {
  expect(algorithms({ JWT_JWKS_URL: "https://platform.example/jwks" })).toEqual(all);
  expect(algorithms({ JWT_PUBLIC_KEY: pem(rsa.publicKey).replaceAll("\n", "\\n") })).toEqual(ofRsa);
  expect(algorithms({ JWT_PUBLIC_KEY: curve("P-256") })).toEqual(["ES256"]);
  expect(algorithms({ JWT_PUBLIC_KEY: curve("P-521") })).toEqual(["ES512"]);
  expect(algorithms({ JWT_PUBLIC_KEY: ed25519 })).toEqual(["EdDSA", "Ed25519"]);
  expect(algorithms({ JWT_SECRET: "s".repeat(64) })).toEqual(["HS256"]);
});

test("a list allows some of those that fit", () => {
  expect(algorithms({ JWT_PUBLIC_KEY: pem(rsa.publicKey), JWT_ALGORITHMS: "PS256, RS256" })).toEqual([
    "PS256",
    "RS256",
  ]);
  expect(algorithms({ JWT_SECRET: "s".repeat(48), JWT_ALGORITHMS: "HS384" })).toEqual(["HS384"]);
});

test.each([
  ["none", { JWT_JWKS_URL: "https://platform.example/jwks", JWT_ALGORITHMS: "none" }],
  ["HS256 with a JWKS", { JWT_JWKS_URL: "https://platform.example/jwks", JWT_ALGORITHMS: "RS256,HS256" }],
  ["HS256 with a public key", { JWT_PUBLIC_KEY: pem(rsa.publicKey), JWT_ALGORITHMS: "HS256" }],
  ["ES256 with an RSA key", { JWT_PUBLIC_KEY: pem(rsa.publicKey), JWT_ALGORITHMS: "ES256" }],
  ["ES384 with a key on P-256", { JWT_PUBLIC_KEY: curve("P-256"), JWT_ALGORITHMS: "ES384" }],
  ["RS256 with a secret", { JWT_SECRET: secret, JWT_ALGORITHMS: "RS256" }],
  ["HS512 with a secret of 32 bytes", { JWT_SECRET: secret, JWT_ALGORITHMS: "HS512" }],
  ["an empty name", { JWT_SECRET: secret, JWT_ALGORITHMS: "HS256," }],
])("%s stops the start, and the message says what would fit", (_what, env) => {
  expect(algorithms(env)).toMatch(/JWT_ALGORITHMS: has algorithms that do not fit JWT_[A-Z_]+: with it only \w+/);
});

test.each([
  ["no key", {}, /JWT_JWKS_URL: exactly one of/],
  ["two keys", { JWT_SECRET: secret, JWT_PUBLIC_KEY: pem(rsa.publicKey) }, /JWT_SECRET: exactly one of/],
  ["a secret of 31 bytes", { JWT_SECRET: "s".repeat(31) }, /JWT_SECRET: must have at least 32 bytes/],
  ["a private key", { JWT_PUBLIC_KEY: pem(rsa.privateKey) }, /JWT_PUBLIC_KEY: is a private key/],
  ["a weak key", { JWT_PUBLIC_KEY: pem(weak.publicKey) }, /JWT_PUBLIC_KEY: is no RSA key of 2048 bits or more, key on/],
  ["a key on another curve", { JWT_PUBLIC_KEY: curve("secp256k1") }, /JWT_PUBLIC_KEY: is no RSA key/],
  ["no key at all", { JWT_PUBLIC_KEY: "key" }, /JWT_PUBLIC_KEY: is no PEM key/],
  ["no URL", { JWT_JWKS_URL: "ftp://platform.example/" }, /JWT_JWKS_URL: must start with/],
])("%s stops the start", (_what, env, message) => {
  expect(read({ ...usable, ...env })).toMatch(message);
});

test("a key without issuer and audience is half a configuration", () => {
  expect(read({ JWT_SECRET: secret })).toMatch(/half configured: JWT_ISSUER, JWT_AUDIENCE missing/);
});

test("no message has the key", () => {
  const hidden = "hidden-hidden-hidden";
  expect(read({ ...usable, JWT_SECRET: hidden, JWT_PUBLIC_KEY: hidden })).not.toContain(hidden);
});
