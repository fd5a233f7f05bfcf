import { createSecretKey, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { ServiceBroker as Broker, type ServiceBroker } from "moleculer";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { staffEndpoints } from "../../../services/admin-gateway/endpoints/all.ts";
import gateway from "../../../services/api-gateway/api-gateway.service.ts";
import { endpoints } from "../../../services/api-gateway/endpoints/all.ts";
import type { Gateway } from "../../../services/api-gateway/gateway.ts";
import { type TokenKeys, tokenKeys } from "../../../services/token-keys.ts";
import { signToken, type TokenClaims } from "../../../services/tokens.ts";
import user from "../../../services/user/user.service.ts";
import { each } from "../../support/crowd.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { claimsOf, tokenOf } from "../../support/tokens.ts";
import {
  alice,
  answers,
  asAlice,
  asOperator,
  calls,
  forget,
  send,
  startGateway,
  startNeighbours,
} from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

let base = "";
let neighbours: ServiceBroker;
let broker: Awaited<ReturnType<typeof startGateway>>["broker"];

beforeAll(async () => {
  neighbours = await startNeighbours();
  ({ base, broker } = await startGateway());
  // Nodes hear of a service's events up to a second after it has started.
  await neighbours.waitForServices("api-gateway");
});
beforeEach(forget);
afterAll(stopAll);

const day = 24 * 3_600_000;
const income = "/live/api/bank/income";
const cookie = { Cookie: `theme=dark; qytk=${alice.token}; other=1` };

test.each(endpoints.filter(({ access }) => access !== "public"))(
  "$path is closed to everybody but those it is for",
  async ({ path }) => {
    const headerSets = [
      {},
      { Authorization: "Bearer nobody" },
      { Authorization: alice.token },
      { Authorization: "Bearer" },
      { Authorization: `Bearer ${"x".repeat(5_000)}` },
      { Cookie: "qytk=" },
      { Cookie: "qytk=nobody" },
      { Cookie: `qytk=${alice.token.slice(0, -2)}` },
      asOperator,
      { Cookie: `qytk=${config().OPERATOR_TOKEN}` },
    ] as Record<string, string>[];
    for (const headers of headerSets) {
      const answer = await send(base + path, { headers, body: validParams[path] });
      expect([answer.status, answer.code]).toEqual([401, 100002]);
    }
    expect(calls).toEqual([]);
  },
);

test("a login counts by cookie and by Bearer token, and the Bearer token comes first", async () => {
  expect((await send(base + income, { headers: cookie })).code).toBe(200);
  expect((await send(base + income, { headers: asAlice })).code).toBe(200);
  const both = { ...cookie, Authorization: "Bearer nobody" };
  expect((await send(base + income, { headers: both })).code).toBe(100002);
});

test("the token alone identifies the caller", async () => {
  // Longer than a part of a UUID: no request id contains it.
  const victim = "1234567890123";
  const headers = { ...asAlice, userId: victim, "X-User-Id": victim, "X-Operator-Name": "root" };
  const lies = { userId: victim, senderUserId: victim, operator: "root", senderId: victim };
  for (const { path } of endpoints.filter(({ access }) => access === "login")) {
    // A parameter of the endpoint itself is no lie, e.g. whose battles are listed.
    const query = Object.entries(lies).filter(([name]) => !(name in (validParams[path] ?? {})));
    const url = `${base}${path}?${new URLSearchParams(query)}`;
    const answer = await send(url, { headers, body: { ...lies, ...validParams[path] } });
    expect(answer.code).toBe(200);
  }
  const told = JSON.stringify(calls);
  expect(told).toContain(alice.userId);
  expect(told).not.toContain(victim);
  expect(told).not.toContain("root");
  for (const { meta } of calls) expect(meta).toEqual({});
});

test("who is logged in is known without a call, and the token is shown to nobody", async () => {
  expect((await send(base + income, { headers: asAlice })).code).toBe(200);
  expect(calls.map(({ action }) => action)).toEqual(["wallet.income"]);
  expect(JSON.stringify(calls)).not.toContain(alice.token);
});

test.each([
  [
    "expired, and there is nothing to log out",
    () => ({ issuedAt: Date.now() - day, expiresAt: Date.now() - limits.user.tokenClockLeewayMs - 1 }),
    [],
  ],
  [
    "expired here but maybe not where a clock is late, and logout revokes it",
    () => ({ issuedAt: Date.now() - day, expiresAt: Date.now() - limits.user.tokenClockLeewayMs / 2 }),
    ["user.logout"],
  ],
  [
    "from the future, and logout revokes it",
    () => ({ issuedAt: Date.now() + 2 * limits.user.tokenClockLeewayMs }),
    ["user.logout"],
  ],
])("a token lets nobody in that is %s", async (_what, over, actions) => {
  const headers = { Authorization: `Bearer ${tokenOf(alice.userId, over())}` };
  const answer = await send(base + income, { headers });
  expect([answer.status, answer.code]).toEqual([401, 100002]);
  expect((await send(`${base}/live/api/userLogin/logout`, { headers })).code).toBe(200);
  expect(calls.map(({ action }) => action)).toEqual(actions);
});

test("tokens that are signed with another key or changed are refused, by Bearer and by cookie", async () => {
  const [version = "", keyId = "", payload = "", mac = ""] = alice.token.split(".");
  const other = { id: keyId, secret: createSecretKey(randomBytes(32)) };
  const another = signToken(other, claimsOf(alice.userId));
  const flipped = `${payload.startsWith("A") ? "B" : "A"}${payload.slice(1)}`;
  const forged = [
    another,
    [version, "k-unknown", payload, mac].join("."),
    ["v2", keyId, payload, mac].join("."),
    [version, keyId, flipped, mac].join("."),
    [version, keyId, payload, another.split(".")[3]].join("."),
    alice.token.slice(0, -1),
    `${alice.token}A`,
    `${alice.token}.`,
    alice.token.toUpperCase(),
    mac,
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
  ];
  for (const token of forged)
    for (const headers of [{ Authorization: `Bearer ${token}` }, { Cookie: `qytk=${token}` }] as Record<
      string,
      string
    >[])
      expect([token, (await send(base + income, { headers })).code]).toEqual([token, 100002]);
  expect(calls).toEqual([]);
});

test("a revocation that is broadcast is in force at once; one that does not match its schema is not handled", async () => {
  const [one, two] = [claimsOf(alice.userId), claimsOf(alice.userId)];
  const headersOf = (claims: TokenClaims) => ({
    Authorization: `Bearer ${signToken(tokenKeys().signing, claims)}`,
  });
  const { userId, sessionId, issuedAt: issuedUntil, expiresAt } = one;
  const revoked = { userId, sessionId, issuedUntil, expiresAt };
  for (const strange of [{}, { list: [] }, { list: [{ ...revoked, sessionId: "1" }] }, { list: { length: 1e9 } }, null])
    await neighbours.broadcast("user.tokens-revoked", strange);
  expect((await send(base + income, { headers: headersOf(one) })).code).toBe(200);
  await eventually("refused", async () => {
    await neighbours.broadcast("user.tokens-revoked", { list: [revoked] });
    return (await send(base + income, { headers: headersOf(one) })).status === 401;
  });
  expect((await send(base + income, { headers: headersOf(two) })).code).toBe(200);
});

test.each([
  [
    "a session's token expires later than any token",
    { sessionId: 900, untilMs: 0, expiryMs: limits.user.tokenTtlMs + day },
  ],
  ["all tokens are issued in the far future", { sessionId: 0, untilMs: day, expiryMs: 0 }],
])("a broadcast is ignored, with a warning, where %s", async (_what, { sessionId, untilMs, expiryMs }) => {
  const token = tokenOf(alice.userId);
  const revocation = claimsOf(alice.userId);
  const { userId } = revocation;
  const soon = Date.now() + 60_000;
  const strange = { userId, sessionId, issuedUntil: soon + untilMs, expiresAt: soon + expiryMs };
  const { sessionId: other, issuedAt, expiresAt: expiry } = revocation;
  const real = { userId, sessionId: other, issuedUntil: issuedAt, expiresAt: expiry };
  const { logger, revokedTokens } = broker.getLocalService("api-gateway") as Gateway;
  const warn = jest.spyOn(logger, "warn").mockImplementation(() => {});
  try {
    const before = revokedTokens.size;
    await eventually("the other entry is in force", async () => {
      await neighbours.broadcast("user.tokens-revoked", { list: [strange, real] });
      return revokedTokens.has(revocation);
    });
    expect(revokedTokens.size).toBe(before + 1);
    expect(warn).toHaveBeenCalledWith(
      { ignored: 1, nodeId: neighbours.nodeID },
      expect.stringContaining("the far future are ignored"),
    );
    expect((await send(base + income, { headers: { Authorization: `Bearer ${token}` } })).code).toBe(200);
  } finally {
    warn.mockRestore();
  }
});

test("each request leaves one line in the log, without tokens, bodies or queries", async () => {
  const service = broker.getLocalService("api-gateway");
  const lines: unknown[] = [];
  const spies = (["info", "warn", "error"] as const).map((level) =>
    jest.spyOn(service.logger, level).mockImplementation((...line: unknown[]) => void lines.push(line)),
  );
  const headers = { ...asAlice, "X-Request-Id": "the-request-1" };
  await send(`${base}${income}?secret=s3cret`, { headers, body: { secret: "s3cret" } });
  const own = () => lines.filter((line) => JSON.stringify(line).includes("the-request-1"));
  await eventually("the line is there", () => own().length > 0);
  for (const spy of spies) spy.mockRestore();
  const about = { method: "POST", path: income, status: 200, code: 200, requestId: "the-request-1" };
  expect(own()).toEqual([[{ ...about, userId: alice.userId, ms: expect.any(Number) }, "request"]]);
  for (const secret of ["s3cret", alice.token, alice.token.split(".")[3] as string])
    expect(JSON.stringify(lines)).not.toContain(secret);
});

const login = "/live/api/userLogin/login";
const credentials = { phone: "13800000000", code: "123456" };

test("login sets the cookie for 30 days, out of reach of scripts and of other sites", async () => {
  const answer = await send(base + login, { body: credentials });
  expect(answer.data).toEqual({ userId: alice.userId, token: alice.token });
  expect(answer.headers.get("set-cookie")).toBe(`qytk=${alice.token}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax`);
});

test("forwarding headers change nothing without a trusted proxy", async () => {
  const headers = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", Origin: "http://evil.example" };
  const answer = await send(base + login, { body: credentials, headers });
  expect(answer.headers.has("set-cookie")).toBe(false);
});

test("logout kills the token that was shown and takes the cookie away", async () => {
  const answer = await send(`${base}/live/api/userLogin/logout`, { headers: cookie });
  expect(answer.code).toBe(200);
  expect(calls).toMatchObject([{ action: "user.logout", params: { token: alice.token } }]);
  expect(answer.headers.get("set-cookie")).toMatch(/^qytk=; Path=\/; Max-Age=0; HttpOnly/);
  forget();
  expect((await send(`${base}/live/api/userLogin/logout`)).code).toBe(200);
  expect(calls).toEqual([]);
});

test("logouts of one session at the same time share a call; those of others, and later ones, have calls of their own", async () => {
  const release = Promise.withResolvers<null>();
  answers["user.logout"] = () => release.promise;
  const logout = (token: string) =>
    send(`${base}/live/api/userLogin/logout`, { headers: { Authorization: `Bearer ${token}` } });
  const other = tokenOf(alice.userId);
  const asked = jest.spyOn((broker.getLocalService("api-gateway") as Gateway).logins, "revokeOnce");
  const together = [...Array.from({ length: 10 }, () => logout(alice.token)), logout(other)];
  await eventually(
    "every request has come, and the calls run",
    () => asked.mock.calls.length === 11 && calls.length > 1,
  );
  asked.mockRestore();
  release.resolve(null);
  for (const answer of await Promise.all(together)) expect(answer.code).toBe(200);
  expect(calls.map(({ params }) => params.token).sort()).toEqual([alice.token, other].sort());
  await logout(alice.token);
  expect(calls).toHaveLength(3);
});

test("logoutAll needs a login, logs out the caller alone, and removes the cookie", async () => {
  const logoutAll = `${base}/live/api/userLogin/logoutAll`;
  const answer = await send(logoutAll, { headers: cookie, body: { userId: "12345" } });
  expect([answer.code, answer.data]).toEqual([200, null]);
  expect(calls).toMatchObject([{ action: "user.logoutAll", params: { userId: alice.userId } }]);
  expect(answer.headers.get("set-cookie")).toMatch(/^qytk=; Path=\/; Max-Age=0; HttpOnly/);
  expect((await send(logoutAll)).code).toBe(100002);
  expect((await send(logoutAll, { headers: { ...cookie, Origin: "http://evil.example" } })).code).toBe(100002);
});

test("where the user service cannot revoke the answer is 503, and the cookie stays, so that it can be repeated", async () => {
  for (const [path, action] of [
    ["logout", "user.logout"],
    ["logoutAll", "user.logoutAll"],
  ] as const) {
    answers[action] = () => {
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
    };
    const answer = await send(`${base}/live/api/userLogin/${path}`, { headers: cookie });
    expect([answer.status, answer.headers.has("set-cookie")]).toEqual([503, false]);
    expect((await send(base + income, { headers: cookie })).code).toBe(200);
  }
});

test.each([
  ["a gateway", gateway],
  ["a user node", user],
])("%s without usable keys of the tokens is refused, with the setting's name", async (_what, schema) => {
  const keys = process.env.TOKEN_KEYS;
  try {
    for (const unusable of ["", "k1:c2hvcnQ", "k1"]) {
      process.env.TOKEN_KEYS = unusable;
      expect(() => new Broker({ logger: false }).createService(schema)).toThrow(/ {2}TOKEN_KEYS: /);
    }
  } finally {
    process.env.TOKEN_KEYS = keys;
  }
});

test("the key of the tokens is in no service's settings and in nothing that is printed of a node or its options", async () => {
  const [, secret = ""] = (process.env.TOKEN_KEYS as string).split(":");
  const service = broker.getLocalService("api-gateway") as Gateway;
  const { options } = service.logins as unknown as { options: { keys: object } };
  expect(inspect(options.keys)).toContain("SecretKeyObject");
  const shown = [
    inspect(options.keys, { depth: 20, showHidden: true }),
    JSON.stringify([...(options.keys as TokenKeys).all]),
    inspect(service.settings, { depth: 20 }),
    inspect(broker.options, { depth: 6 }),
    inspect(await neighbours.call("$node.services", { withActions: true }), { depth: 6 }),
    JSON.stringify(await broker.call("$node.options")),
  ].join("\n");
  const bytes = Buffer.from(secret, "base64url");
  const remotely = neighbours.call("$node.options", {}, { nodeID: broker.nodeID });
  await expect(remotely).rejects.toMatchObject({ type: "callerRefused" });
  for (const spelled of [secret, bytes.toString("hex"), bytes.toString("base64"), [...bytes.subarray(0, 6)].join(", ")])
    expect(shown).not.toContain(spelled);
});

test("to a page of another origin the cookie neither counts nor is set", async () => {
  for (const origin of ["http://evil.example", "null", `${base}9`, "not a url"]) {
    const headers = { ...cookie, Origin: origin };
    expect((await send(base + income, { headers })).code).toBe(100002);
    expect((await send(`${base}/live/api/userLogin/logout`, { headers })).headers.has("set-cookie")).toBe(false);
    expect((await send(base + login, { headers, body: credentials })).headers.has("set-cookie")).toBe(false);
  }
  expect(calls.filter(({ action }) => action !== "user.login")).toEqual([]);
  expect((await send(base + income, { headers: { ...cookie, Origin: base } })).code).toBe(200);
  expect((await send(base + income, { headers: { ...asAlice, Origin: "http://app.example" } })).code).toBe(200);
});

test("no route of the staff is there, with whatever token, nor in the documents of the users' port", async () => {
  const staff = { Cookie: `ovation_staff=${config().OPERATOR_TOKEN}`, "X-CSRF-Token": "any" };
  const paths = [...staffEndpoints.map(({ path }) => path), "/live/admin", "/admin", "/admin/", "/openapi-admin.json"];
  const cases = paths.flatMap((path) =>
    [asAlice, { ...asOperator, ...staff }].flatMap((headers) =>
      ["POST", "GET"].map((method) => ({ path, headers, method })),
    ),
  );
  const found = await each(cases, 8, async ({ path, headers, method }) => {
    const answer = await send(base + path, { method, headers, ...(method === "POST" && { body: { giftId: 1 } }) });
    return answer.status === 404 && answer.code === 404 ? [] : [`${method} ${path}: ${answer.status}`];
  });
  expect(found.flat()).toEqual([]);
  expect(calls).toEqual([]);
  for (const document of ["/openapi.json", "/openapi-server.json", "/docs"]) {
    const { status, text } = await send(base + document, { method: "GET" });
    expect(status).toBe(200);
    expect(text).not.toMatch(/live\/admin|OPERATOR_TOKEN|X-CSRF-Token|ovation_staff/);
  }
});
