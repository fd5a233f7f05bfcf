import { config } from "../../../config/config.ts";
import { endpoints } from "../../../services/api-gateway/endpoints/all.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  alice,
  answers,
  asAlice,
  asOperator,
  authentications,
  calls,
  forget,
  send,
  startGateway,
  startNeighbours,
} from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

let base = "";
let broker: Awaited<ReturnType<typeof startGateway>>["broker"];

beforeAll(async () => {
  await startNeighbours();
  ({ base, broker } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const income = "/live/api/bank/income";
const cookie = { Cookie: `theme=dark; qytk=${alice.token}; other=1` };

test.each(endpoints.filter(({ access }) => access !== "public"))(
  "$path is closed to everybody but those it is for",
  async ({ path, access }) => {
    const headerSets = [
      {},
      { Authorization: "Bearer nobody" },
      { Authorization: alice.token },
      { Authorization: "Bearer" },
      { Authorization: `Bearer ${"x".repeat(5_000)}` },
      { Cookie: "qytk=" },
      { Cookie: "qytk=nobody" },
      access === "operator" ? asAlice : asOperator,
      access === "operator" ? { Cookie: `qytk=${config().OPERATOR_TOKEN}` } : {},
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
  const victim = "12345";
  const headers = { ...asAlice, userId: victim, "X-User-Id": victim, "X-Operator-Name": "root" };
  const lies = { userId: victim, senderUserId: victim, operator: "root", senderId: victim };
  const query = new URLSearchParams(lies).toString();
  for (const { path } of endpoints.filter(({ access }) => access === "login")) {
    const answer = await send(`${base}${path}?${query}`, { headers, body: { ...lies, ...validParams[path] } });
    expect(answer.code).toBe(200);
  }
  const told = JSON.stringify(calls);
  expect(told).toContain(alice.userId);
  expect(told).not.toContain(victim);
  expect(told).not.toContain("root");
  for (const { meta } of calls) expect(meta).toEqual({});
});

test("the session token is shown to the user service and to nobody else", async () => {
  await send(base + income, { headers: asAlice });
  expect(authentications[0]?.params).toEqual({ token: alice.token });
  expect(JSON.stringify(calls)).not.toContain(alice.token);
});

test("where sessions cannot be read nobody is let in, and the answer is 503, not 401", async () => {
  answers["user.authenticate"] = () => {
    throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
  };
  const answer = await send(base + income, { headers: asAlice });
  expect([answer.status, answer.code]).toEqual([503, 503]);
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(calls).toEqual([]);
});

test("each request leaves one line in the log, without tokens, bodies or queries", async () => {
  const service = broker.getLocalService("api-gateway");
  const lines: unknown[] = [];
  const spies = (["info", "warn", "error"] as const).map((level) =>
    jest.spyOn(service.logger, level).mockImplementation((...line: unknown[]) => void lines.push(line)),
  );
  const headers = { ...asAlice, "X-Request-Id": "the-request-1" };
  await send(`${base}${income}?secret=s3cret`, { headers, body: { secret: "s3cret" } });
  await eventually("the line is there", () => lines.length > 0);
  for (const spy of spies) spy.mockRestore();
  const about = { method: "POST", path: income, status: 200, code: 200, requestId: "the-request-1" };
  expect(lines).toEqual([[{ ...about, userId: alice.userId, ms: expect.any(Number) }, "request"]]);
  expect(JSON.stringify(lines)).not.toMatch(/s3cret|token-of-alice/);
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

test("operators are named by their header where it is a plain name", async () => {
  const url = `${base}/live/admin/gift/offShelf`;
  const body = { giftId: 1 };
  await send(url, { headers: asOperator, body });
  await send(url, { headers: { ...asOperator, "X-Operator-Name": "li.lei" }, body });
  await send(url, { headers: { ...asOperator, "X-Operator-Name": "a b; c" }, body });
  expect(calls.map(({ params }) => params.operator)).toEqual(["operator", "operator:li.lei", "operator"]);
});
