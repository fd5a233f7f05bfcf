import { failureName } from "../../../broker/failure.ts";
import { requestJwks } from "../../../services/api-gateway/logins/jwks-request.ts";
import { Jwks } from "../../../services/api-gateway/logins/jwt-keys.ts";
import { JwtVerifier, jwtFaultOf } from "../../../services/api-gateway/logins/jwt-verifier.ts";
import { eventually } from "../../support/eventually.ts";
import {
  audience,
  claimsFor,
  issuer,
  type JwksServer,
  jwkOf,
  jwtOf,
  newKey,
  startJwks,
} from "../../support/platform.ts";
import { silentLog } from "../../support/silent-log.ts";

/** The platform's keys at a server of the test: what a gateway does while they change, fail and come back. */

const [old, fresh, other] = [newKey("old", "ES256"), newKey("new", "ES256"), newKey("other")];
const settings = { issuer, audience, algorithms: ["RS256", "ES256"], claims: { user: "sub" } };
const slow = { keysEveryMs: 600_000, keysAgainMs: 600_000, unknownKeyEveryMs: 600_000 };

let server: JwksServer;
let jwks: Jwks;
let dropped: number;

beforeEach(async () => {
  server = await startJwks(old);
  dropped = 0;
});
afterEach(async () => {
  await jwks.stop();
  await server.close();
});

/** Begins to read the keys; resolves once they were read. */
async function open(times: typeof slow = slow): Promise<JwtVerifier> {
  jwks = new Jwks({
    request: (stopping) => requestJwks(new URL(server.url), stopping),
    dropped: () => dropped++,
    log: silentLog,
    times,
  });
  jwks.start();
  await eventually("the keys were asked for", () => server.asked > 0);
  return new JwtVerifier(settings, jwks);
}

const outcome = (verifier: JwtVerifier, token: string) =>
  verifier.verify(token).then(
    ({ externalId }) => externalId,
    (error) => jwtFaultOf(error) ?? failureName(error),
  );
const token = (key = old, header: object = {}) => jwtOf(key, claimsFor("u"), header);
const ready = (verifier: JwtVerifier, key = old) =>
  eventually("a JWT is valid", async () => (await outcome(verifier, token(key))) === "u");

test("a new key works at its first use, by a thousand requests at once with one read", async () => {
  const verifier = await open();
  await ready(verifier);
  server.serve(old, fresh);
  const asked = server.asked;
  const jwt = token(fresh);
  const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => outcome(verifier, jwt)));
  expect(new Set(outcomes)).toEqual(new Set(["u"]));
  expect(server.asked - asked).toBe(1);
  expect(await outcome(verifier, token(old))).toBe("u");
  expect(dropped).toBe(0);
});

test("a flood of unknown key ids causes one read, and the next one none: it is refused while the server hangs", async () => {
  const verifier = await open();
  await ready(verifier);
  const asked = server.asked;
  const made = Array.from({ length: 500 }, (_, n) => token(old, { kid: `made-up-${n}` }));
  const flood = () => Promise.all(made.map((jwt) => outcome(verifier, jwt)));
  expect(new Set(await flood())).toEqual(new Set(["unknownKey"]));
  server.answer(() => undefined);
  expect(new Set(await flood())).toEqual(new Set(["unknownKey"]));
  expect([server.asked - asked, jwks.isFailing]).toEqual([1, false]);
  expect(await outcome(verifier, token())).toBe("u");
});

test("after the pause an unknown key id causes a read again", async () => {
  const verifier = await open({ ...slow, unknownKeyEveryMs: 50 });
  await ready(verifier);
  expect(await outcome(verifier, token(fresh))).toBe("unknownKey");
  server.serve(fresh);
  await eventually("the new key is read", async () => (await outcome(verifier, token(fresh))) === "u");
});

test("a key that the platform removes is not valid any more once the set is read", async () => {
  const verifier = await open({ ...slow, keysEveryMs: 20, keysAgainMs: 20 });
  await ready(verifier);
  server.serve(fresh);
  await eventually("the key is gone", async () => (await outcome(verifier, token())) === "unknownKey");
  expect(dropped).toBe(1);
});

describe.each([
  ["is gone", () => server.close()],
  ["hangs", () => server.answer(() => undefined)],
  ["closes connections", () => server.answer((request) => request.socket.destroy())],
  ["answers 500", () => server.answer((_request, response) => response.writeHead(500).end())],
  [
    "redirects, even to where the keys are",
    () =>
      server.answer((request, response) => {
        if (request.url?.endsWith("?moved")) response.end(JSON.stringify({ keys: [jwkOf(old), jwkOf(fresh)] }));
        else response.writeHead(302, { location: `${server.url}?moved` }).end();
      }),
  ],
  [
    "answers without end",
    () =>
      server.answer((_request, response) => {
        const more = () => response.writable && response.write("x".repeat(65_536), () => setImmediate(more));
        more();
      }),
  ],
  ["answers no JSON", () => server.answer((_request, response) => response.end("<html>"))],
  ["answers an empty set", () => server.serve()],
  [
    "answers a symmetric key",
    () =>
      server.answer((_request, response) => response.end(JSON.stringify({ keys: [{ kty: "oct", k: "c2VjcmV0" }] }))),
  ],
  [
    "answers more keys than it may",
    () => server.answer((_request, response) => response.end(JSON.stringify({ keys: Array(101).fill(jwkOf(fresh)) }))),
  ],
])("where the server of the keys %s", (what, fail) => {
  const times = { keysEveryMs: 20, keysAgainMs: 20, unknownKeyEveryMs: 20 };

  test("the known keys stay valid, an unknown one is answered as unavailable, and the node says it is degraded", async () => {
    const verifier = await open(times);
    await ready(verifier);
    await fail();
    await eventually("it is noticed", () => jwks.isFailing);
    expect(await outcome(verifier, token())).toBe("u");
    expect(await outcome(verifier, token(fresh))).toBe("unavailable");
    await expect(jwks.requireKeys()).rejects.toThrow(/^the platform's keys cannot be read: \S/);
    expect(dropped).toBe(0);
  });

  test("and no key was ever read, every JWT is answered as unavailable, the node is not ready, and it heals", async () => {
    await fail();
    server.asked++;
    const verifier = await open(times);
    await eventually("it is noticed", () => jwks.isFailing);
    expect(await outcome(verifier, token())).toBe("unavailable");
    await expect(jwks.requireKeys()).rejects.toThrow(/^the platform's keys were never read \(\S/);
    if (what === "is gone") return;
    server.serve(old);
    await ready(verifier);
    await jwks.requireKeys();
  });
});

test("a JWT without a key id is verified with the one key that fits, or with each of several", async () => {
  const [first, second, third] = [newKey(undefined, "ES256"), newKey(undefined, "ES256"), newKey(undefined, "ES256")];
  server.serve(first, other);
  const verifier = await open();
  await ready(verifier, first);
  server.serve(first, second, other);
  // It names no key, so that its signature fits none is all that is known.
  expect(await outcome(verifier, token(second))).toBe("u");
  expect(await outcome(verifier, token(first))).toBe("u");
  expect(await outcome(verifier, jwtOf(other, claimsFor("u"), { kid: undefined }))).toBe("u");
  expect(await outcome(verifier, token(third))).toBe("signature");
});

test("a broken key in the set does not spoil the others", async () => {
  server.answer((_request, response) =>
    response.end(JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", kid: "broken", x: "!", y: 5 }, {}, jwkOf(old)] })),
  );
  const verifier = await open();
  await ready(verifier);
  expect(await outcome(verifier, token(old, { kid: "broken" }))).toMatch(/unusableKey|malformed/);
});
