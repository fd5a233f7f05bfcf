import { createHmac, createSecretKey, sign } from "node:crypto";
import fc from "fast-check";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { fixedKey } from "../../../services/api-gateway/logins/jwt-keys.ts";
import { JwtVerifier, jwtFaultOf, jwtFaults } from "../../../services/api-gateway/logins/jwt-verifier.ts";
import { audience, claimsFor, issuer, jwtBy, jwtOf, newKey, pemOf } from "../../support/platform.ts";
import { strangeObject } from "../../support/strange-values.ts";

const key = newKey("k");
const stranger = newKey("k");
const onCurve = newKey("k", "ES256");
const claims = { user: "sub", nickName: "name", avatar: "picture" };
const verifier = new JwtVerifier({ issuer, audience, algorithms: ["RS256"], claims }, fixedKey(key.publicKey));

const now = () => Math.floor(Date.now() / 1_000);
const leewayS = limits.jwt.leewayMs / 1_000;
const faultOf = (token: string) =>
  verifier.verify(token).then(
    () => "valid",
    (error) => (failureName(error) === "notLoggedIn" ? jwtFaultOf(error) : error),
  );
const valid = (over: Record<string, unknown> = {}, sub: unknown = "u") =>
  verifier.verify(jwtOf(key, claimsFor(sub, over)));

test("a JWT of the platform is a login of the user it names", async () => {
  const iat = now();
  const read = await valid({ iat, exp: iat + 60, aud: ["another", audience] }, "Ünï 😀 ");
  expect(read).toEqual({
    externalId: "Ünï 😀 ",
    issuedAt: iat * 1_000,
    expiresAt: (iat + 60 + leewayS) * 1_000,
    sessionId: expect.any(Number),
  });
  expect(Number.isSafeInteger(read.sessionId) && read.sessionId > 0).toBe(true);
});

const secret = (text: string) => (signed: string) => createHmac("sha256", text).update(signed).digest();

test.each([
  ["alg none without a signature", jwtBy(() => Buffer.alloc(0), { alg: "none" }, claimsFor("u")), "malformed"],
  ["alg none with one", jwtBy(() => Buffer.from("x"), { alg: "none" }, claimsFor("u")), "algorithm"],
  ["HS256 by the public key", jwtBy(secret(pemOf(key)), { alg: "HS256", kid: "k" }, claimsFor("u")), "algorithm"],
  ["RS256 by the public key as a secret", jwtBy(secret(pemOf(key)), { alg: "RS256" }, claimsFor("u")), "signature"],
  ["the signature of another key", jwtOf(stranger, claimsFor("u")), "signature"],
  ["an algorithm that does not fit the key", jwtOf(onCurve, claimsFor("u")), "algorithm"],
  ["PS256, which is not allowed", jwtOf(key, claimsFor("u"), { alg: "PS256" }), "algorithm"],
  ["no algorithm", jwtOf(key, claimsFor("u"), { alg: undefined }), "malformed"],
  ["a critical extension", jwtOf(key, claimsFor("u"), { crit: ["b64"], b64: false }), "malformed"],
  [
    "a key of its own",
    jwtOf(stranger, claimsFor("u"), { jwk: stranger.publicKey.export({ format: "jwk" }) }),
    "signature",
  ],
  ["another issuer", jwtOf(key, claimsFor("u", { iss: `${issuer}/` })), "issuer"],
  ["no issuer", jwtOf(key, claimsFor("u", { iss: undefined })), "issuer"],
  ["another audience", jwtOf(key, claimsFor("u", { aud: "another" })), "audience"],
  ["no audience", jwtOf(key, claimsFor("u", { aud: undefined })), "audience"],
  ["an expiry beyond the leeway", jwtOf(key, claimsFor("u", { exp: now() - leewayS - 1 })), "expired"],
  ["no expiry", jwtOf(key, claimsFor("u", { exp: undefined })), "claims"],
  ["an expiry that is a text", jwtOf(key, claimsFor("u", { exp: "9999999999" })), "claims"],
  ["a beginning beyond the leeway", jwtOf(key, claimsFor("u", { nbf: now() + leewayS + 30 })), "notYetValid"],
  ["a time of issue beyond the leeway", jwtOf(key, claimsFor("u", { iat: now() + leewayS + 30 })), "notYetValid"],
  ["a time of issue before the longest login", jwtOf(key, claimsFor("u", { iat: now() - 31 * 86_400 })), "tooOld"],
  [
    "no time of issue, for longer than a login",
    jwtOf(key, claimsFor("u", { iat: undefined, exp: now() + 31 * 86_400 })),
    "tooOld",
  ],
  ["no time of issue, for ever", jwtOf(key, { ...claimsFor("u", { iat: undefined }), exp: 1e300 }), "tooOld"],
  ["claims that are a list", jwtOf(key, [claimsFor("u")]), "malformed"],
])("%s is refused", async (_what, token, fault) => {
  expect(await faultOf(token)).toBe(fault);
});

test("within the leeway a JWT is valid", async () => {
  for (const over of [{ exp: now() - leewayS + 20 }, { nbf: now() + leewayS - 20 }, { iat: now() + leewayS - 20 }])
    expect(await valid(over)).toMatchObject({ externalId: "u" });
});

test("a JWT is valid as long as a login may be, however late it expires", async () => {
  const iat = now() - 86_400;
  for (const exp of [now() + 365 * 86_400, 1e300])
    expect(await valid({ iat, exp })).toMatchObject({ expiresAt: iat * 1_000 + limits.user.tokenTtlMs });
});

test("a JWT of 4,096 characters is read, one of 4,097 is not", async () => {
  const padded = (chars: number) => {
    for (let pad = chars; pad > 0; pad--) {
      const token = jwtOf(key, claimsFor("u", { pad: "x".repeat(pad) }));
      if (token.length <= chars) return token;
    }
    throw new Error("no such length");
  };
  const longest = padded(limits.jwt.tokenChars);
  expect(longest.length).toBeGreaterThanOrEqual(limits.jwt.tokenChars - 1);
  expect(await faultOf(longest)).toBe("valid");
  expect(await faultOf(`${longest}${"A".repeat(limits.jwt.tokenChars + 1 - longest.length)}`)).toBe("malformed");
});

test.each([
  ["a number", 123],
  ["nothing", undefined],
  ["null", null],
  ["a list", ["u"]],
  ["an object", { id: "u" }],
  ["empty", ""],
  ["65 characters", "x".repeat(65)],
  ["half of a surrogate pair", "\ud83d"],
  ["a NUL", "a\0"],
])("a user claim that is %s is refused", async (_what, sub) => {
  expect(await faultOf(jwtOf(key, claimsFor(sub)))).toBe("userClaim");
});

test("the name of a property that every object has is no claim", async () => {
  const other = new JwtVerifier(
    { issuer, audience, algorithms: ["RS256"], claims: { user: "constructor" } },
    fixedKey(key.publicKey),
  );
  await expect(other.verify(jwtOf(key, claimsFor("u")))).rejects.toMatchObject({ data: { jwt: "userClaim" } });
});

test.each([
  ["a long name is cut, and no emoji in half", { name: `${"x".repeat(29)}😀` }, { nickName: "x".repeat(29) }],
  ["spaces around a name are cut", { name: "  Lin  " }, { nickName: "Lin" }],
  ["a name of spaces is none", { name: "   " }, {}],
  ["a name of two lines is none", { name: "a\nb" }, {}],
  ["half of a surrogate pair is none", { name: "\ud83d" }, {}],
  ["a name that is no text is none", { name: { first: "Lin" }, picture: 5 }, {}],
  ["an avatar is a URL", { picture: "https://img.example/1.png" }, { avatar: "https://img.example/1.png" }],
  ["a script is no avatar", { picture: "javascript:alert(1)" }, {}],
  ["an avatar of 301 characters is none", { picture: `https://img.example/${"x".repeat(281)}` }, {}],
])("%s", async (_what, over, names) => {
  const { nickName, avatar } = await valid(over);
  expect({ nickName, avatar }).toEqual({ nickName: undefined, avatar: undefined, ...names });
});

test("another spelling of the signature is the same login, another JWT another one", async () => {
  const one = jwtOf(key, claimsFor("u", { jti: "1" }));
  const [{ sessionId }, again] = [await verifier.verify(one), await verifier.verify(one)];
  expect(again.sessionId).toBe(sessionId);
  // 256 bytes leave four bits of the last character unused.
  const last = one.at(-1) as string;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const respelled = `${one.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`;
  const read = await verifier.verify(respelled).catch(() => ({ sessionId }));
  expect(read.sessionId).toBe(sessionId);
  expect((await verifier.verify(jwtOf(key, claimsFor("u", { jti: "2" })))).sessionId).not.toBe(sessionId);
});

test("any other text is refused as malformed, and nothing throws otherwise", async () => {
  const texts = ["", ".", "..", "a.b.c", "eyJ.eyJ.x", "v1.k.x.y", "e30.e30.e30", "\0.\0.\0", "ZQ.ZQ.ZQ", "😀.a.b"];
  for (const text of texts) expect(await faultOf(text)).toBe("malformed");
});

test("a shared secret verifies by HMAC", async () => {
  const shared = "a-secret-of-the-platform-and-ovation";
  const own = new JwtVerifier(
    { issuer, audience, algorithms: ["HS256"], claims: { user: "uid" } },
    fixedKey(createSecretKey(shared, "utf8")),
  );
  const token = (by: string) => jwtBy(secret(by), { alg: "HS256" }, claimsFor(undefined, { uid: "17" }));
  expect(await own.verify(token(shared))).toMatchObject({ externalId: "17" });
  await expect(own.verify(token(`${shared}x`))).rejects.toMatchObject({ data: { jwt: "signature" } });
  await expect(own.verify(jwtOf(key, claimsFor("u")))).rejects.toMatchObject({ data: { jwt: "algorithm" } });
});

test("strange headers and claims that the platform signs are valid or have a fault", async () => {
  const header = fc.oneof(fc.constant('{"alg":"RS256"}'), strangeObject(["alg", "kid", "typ", "crit"]));
  const payload = strangeObject(["iss", "aud", "sub", "exp", "iat", "nbf", "name", "picture"]);
  await fc.assert(
    fc.asyncProperty(header, payload, async (...parts) => {
      const signed = parts.map((text) => Buffer.from(text).toString("base64url")).join(".");
      const token = `${signed}.${sign("sha256", Buffer.from(signed), key.privateKey).toString("base64url")}`;
      expect([...jwtFaults, "valid"]).toContain(await faultOf(token));
    }),
    { numRuns: 100 },
  );
});
