import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { limits } from "../../config/limits.ts";
import { readToken, signToken, type TokenClaims, type TokenKey, verifyToken } from "../../services/tokens.ts";

const keyNamed = (id: string): TokenKey => ({ id, secret: createSecretKey(randomBytes(32)) });
const [first, second] = [keyNamed("k1"), keyNamed("second_key-0")];
const keys = new Map([first, second].map((key) => [key.id, key]));
const now = Date.UTC(2026, 0, 1);
const claims: TokenClaims = {
  userId: "383138009967865135",
  sessionId: 2 ** 53 - 1,
  issuedAt: now,
  expiresAt: now + 1_000,
};
const token = signToken(first, claims);
const parts = token.split(".") as [string, string, string, string];

const { tokenTtlMs } = limits.user;
const anyClaims = fc
  .record({
    userId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String),
    sessionId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    issuedAt: fc.integer({ min: 0, max: 2 ** 48 - 1 - tokenTtlMs }),
    life: fc.integer({ min: 1, max: tokenTtlMs }),
  })
  .map(({ life, ...rest }) => ({ ...rest, expiresAt: rest.issuedAt + life }));

/** A token that whoever has the key makes by hand, of any claims. */
function madeByHand(userId: bigint, sessionId: number, issuedAt: number, expiresAt: number): string {
  const payload = Buffer.alloc(27);
  payload.writeBigUInt64BE(userId, 0);
  payload.writeUInt8(Math.floor(sessionId / 2 ** 48), 8);
  payload.writeUIntBE(sessionId % 2 ** 48, 9, 6);
  payload.writeUIntBE(issuedAt, 15, 6);
  payload.writeUIntBE(expiresAt, 21, 6);
  const signed = `v1.k1.${payload.toString("base64url")}`;
  return `${signed}.${createHmac("sha256", first.secret).update(signed).digest("base64url")}`;
}

describe("a login token", () => {
  test("carries its claims, whatever they are, in one short text for header and cookie", () => {
    fc.assert(
      fc.property(anyClaims, fc.constantFrom(first, second), (given, key) => {
        const signed = signToken(key, given);
        expect(signed).toMatch(/^[A-Za-z0-9._-]{1,101}$/);
        expect(readToken(keys, signed)).toEqual({ claims: given });
      }),
    );
  });

  test.each([
    ["at its issue", now, { claims }],
    ["just before its expiry", now + 999, { claims }],
    ["at its expiry", now + 1_000, { fault: "expired" }],
    ["while clocks differ by less than the leeway", now - limits.user.tokenClockLeewayMs, { claims }],
    ["from the future", now - limits.user.tokenClockLeewayMs - 1, { fault: "fromTheFuture" }],
  ])("%s", (_when, at, expected) => expect(verifyToken(keys, token, at)).toEqual(expected));

  test("is verified by any of the keys, and not by a key that was removed", () => {
    expect(verifyToken(keys, signToken(second, claims), now)).toEqual({ claims });
    expect(verifyToken(new Map([["k1", first]]), signToken(second, claims), now)).toEqual({ fault: "unknownKey" });
    expect(verifyToken(new Map([["k1", keyNamed("k1")]]), token, now)).toEqual({ fault: "forged" });
    // One key under two names: a token names its key, and the name is signed.
    const renamed = new Map([...keys, ["k2", { id: "k2", secret: first.secret }]]);
    expect(readToken(renamed, token.replace(".k1.", ".k2."))).toEqual({ fault: "forged" });
  });

  test("is refused with any one character changed, left out or added", () => {
    const alphabet = "AQgw09z-_.+= é";
    for (let at = 0; at < token.length; at++) {
      for (const letter of alphabet)
        if (letter !== token[at])
          expect(readToken(keys, token.slice(0, at) + letter + token.slice(at + 1))).toHaveProperty("fault");
      expect(readToken(keys, token.slice(0, at) + token.slice(at + 1))).toHaveProperty("fault");
      expect(readToken(keys, `${token.slice(0, at)}A${token.slice(at)}`)).toHaveProperty("fault");
    }
  });

  test.each([
    ["empty", ""],
    ["truncated", token.slice(0, -5)],
    ["of another version", ["v2", ...parts.slice(1)].join(".")],
    ["without a version", parts.slice(1).join(".")],
    ["without a MAC", `${parts.slice(0, 3).join(".")}.`],
    ["twice", `${token}.${token}`],
    ["padded", `${token}=`],
    ["with a line break", `${token}\n`],
    ["binary", `v1.k1.${"\u0000".repeat(36)}.${"\u00ff".repeat(43)}`],
    ["huge", `v1.k1.${"A".repeat(5_000_000)}`],
    ["named after what objects have", `v1.__proto__.${parts[2]}.${parts[3]}`],
    ["of an unsigned JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."],
    ["43 random characters", randomBytes(32).toString("base64url")],
  ])("%s is refused", (_what, text) => expect(readToken(keys, text)).toHaveProperty("fault"));

  test("no text that is not signed is a token, and none throws", () => {
    const piece = fc.oneof(
      fc.constantFrom(...parts, "", "v1", "__proto__", "constructor", "null"),
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.uint8Array({ minLength: 27, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
    );
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(".")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(text !== token);
        expect(readToken(keys, text)).toHaveProperty("fault");
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["no user", { userId: "0" }],
    ["a user id that does not fit", { userId: String(2n ** 64n) }],
    ["session 0", { sessionId: 0 }],
    ["a session that is no safe integer", { sessionId: 2 ** 53 }],
    ["a broken time", { issuedAt: 1.5 }],
    ["a time beyond its bytes", { issuedAt: 2 ** 48 - 1, expiresAt: 2 ** 48 }],
    ["no life", { expiresAt: now }],
    ["an expiry before its issue", { expiresAt: now - 1 }],
    ["a life longer than a login's", { expiresAt: now + tokenTtlMs + 1 }],
  ])("with %s is not signed", (_what, over) => {
    expect(() => signToken(first, { ...claims, ...over })).toThrow(RangeError);
  });

  test.each([
    ["no user", [0n, 1, now, now + 1]],
    ["session 0, as of a revocation of all", [7n, 0, now, now + 1]],
    ["a session that is no safe integer", [7n, 2 ** 53, now, now + 1]],
    ["no life", [7n, 1, now, now]],
    ["an expiry before its issue", [7n, 1, now, now - 1]],
    ["a life longer than a login's", [7n, 1, now, now + tokenTtlMs + 1]],
    ["an expiry that no time reaches", [7n, 1, now, 2 ** 48 - 1]],
  ] as const)("with %s is refused, whoever signed it", (_what, [userId, sessionId, issuedAt, expiresAt]) => {
    const signed = madeByHand(userId, sessionId, issuedAt, expiresAt);
    expect(readToken(keys, signed)).toEqual({ fault: "impossible" });
    expect(verifyToken(keys, signed, now)).toEqual({ fault: "impossible" });
    const lawful = madeByHand(7n, 1, now, now + tokenTtlMs);
    expect(readToken(keys, lawful)).toHaveProperty("claims");
  });
});
