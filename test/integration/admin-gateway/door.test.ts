import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { config } from "../../../config/config.ts";
import { staffEndpoints } from "../../../services/admin-gateway/endpoints/all.ts";
import type { StaffEndpoint } from "../../../services/admin-gateway/endpoints/endpoint.ts";
import type { AdminGateway } from "../../../services/admin-gateway/gateway.ts";
import { type Right, roleHas } from "../../../services/staff-roles.ts";
import { csrfOf, personOf, roles, sessionOf } from "../../support/fake-staff.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  alice,
  answers,
  type Call,
  calls,
  checkAgainstContract,
  forget,
  send,
  startNeighbours,
} from "../api-gateway/neighbours.ts";
import { byBearer, byCookie, startAdminGateway } from "./admin-node.ts";
import { validStaffParams } from "./valid-params.ts";

let broker: ServiceBroker;
let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ broker, base } = await startAdminGateway());
});
beforeEach(forget);
afterAll(stopAll);

const at = (path: string) => `${base}/live/admin/${path}`;
const shortOf = ({ path }: StaffEndpoint) => path.slice("/live/admin/".length);
const paramsOf = (endpoint: StaffEndpoint) => validStaffParams[shortOf(endpoint)] as Record<string, unknown>;
const withSession = staffEndpoints.filter(({ right }) => right !== null);
const of = (action: string) => calls.filter((call) => call.action === action);
/** Calls besides those by which the door asks who somebody is and keeps the audit. */
const others = (list: readonly Call[] = calls) =>
  list.filter(({ action }) => !["staff.session", "staff.begin", "staff.finish"].includes(action));
const freeze = { userId: "77", reason: "fraud" };

test("there are valid params of every endpoint, and an admin's calls pass; the person is the operator of each", async () => {
  for (const endpoint of staffEndpoints) {
    forget();
    expect([endpoint.path, Object.keys(paramsOf(endpoint) ?? {}).sort()]).toEqual([
      endpoint.path,
      [...endpoint.fields].sort(),
    ]);
    const answer = await send(base + endpoint.path, { headers: byBearer("admin"), body: paramsOf(endpoint) });
    expect([endpoint.path, answer.status, answer.code]).toEqual([endpoint.path, 200, 200]);
    expect(endpoint.result.safeParse(answer.data).error).toBeUndefined();
    calls.forEach(checkAgainstContract);
    for (const { params } of others())
      if ("operator" in params) expect(params.operator).toBe(`staff:${personOf("admin")}`);
  }
});

test("JSON, form fields and query parameters are taken alike", async () => {
  const headers = byBearer("admin");
  const form = { ...headers, "Content-Type": "application/x-www-form-urlencoded" };
  for (const endpoint of staffEndpoints) {
    const body = paramsOf(endpoint);
    const text = new URLSearchParams(
      Object.entries(body).map(([name, value]) => [name, String(value)] as [string, string]),
    ).toString();
    const seen: unknown[] = [];
    for (const [url, options] of [
      [base + endpoint.path, { headers, body }],
      [base + endpoint.path, { headers: form, body: text }],
      [`${base}${endpoint.path}?${text}`, { headers }],
    ] as const) {
      forget();
      expect([endpoint.path, (await send(url, options)).code]).toEqual([endpoint.path, 200]);
      seen.push(others().map(({ action, params }) => ({ action, params })));
    }
    // What `figures` has read is kept for a while, so that no later call of it reaches a service.
    if (endpoint.path.endsWith("/figures")) continue;
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  }
});

test.each(roles)("a %s may call what the table of roles says, and nothing else, whatever the params", async (role) => {
  for (const endpoint of withSession) {
    const may = roleHas(role, endpoint.right as Right);
    for (const body of may ? [paramsOf(endpoint)] : [paramsOf(endpoint), { userId: [], orderId: {} }]) {
      forget();
      const answer = await send(base + endpoint.path, { headers: byBearer(role), body });
      expect([endpoint.path, answer.status === 403]).toEqual([endpoint.path, !may]);
      if (may) continue;
      expect(answer.code).toBe(100003);
      expect(others()).toEqual([]);
      // The refusal is in the audit too.
      if (endpoint.audited) expect(of("staff.begin")).toMatchObject([{ params: { route: endpoint.path } }]);
    }
  }
});

test("a text that is no line stands for nothing in the audit: of a refused call, and of a filter", async () => {
  for (const [role, path, body] of [
    ["viewer", "account/freeze", { userId: "77\tadmin", reason: "x" }],
    ["viewer", "account/freeze", { userId: "77\n78", reason: "x" }],
    ["admin", "audit/list", { about: "o-1\tadmin" }],
  ] as const) {
    forget();
    await send(at(path), { headers: byBearer(role), body });
    const [begun, ...more] = of("staff.begin");
    expect([path, begun?.params.about, more]).toEqual([path, undefined, []]);
  }
});

test.each(withSession)("$path is closed to everybody without a session", async ({ path }) => {
  const headerSets = [
    {},
    { Authorization: "Bearer nobody" },
    { Authorization: sessionOf("admin") },
    { Authorization: "Bearer" },
    { Authorization: `Bearer ${"x".repeat(5_000)}` },
    { Authorization: `Bearer ${alice.token}` },
    { Authorization: "Bearer token:" },
    { Cookie: "ovation_staff=" },
    { Cookie: "ovation_staff=nobody", "X-CSRF-Token": csrfOf("admin") },
    { Cookie: `qytk=${sessionOf("admin")}`, "X-CSRF-Token": csrfOf("admin") },
    { Cookie: `qytk=${alice.token}; ovation_staff=${alice.token}` },
    // Who sends a Bearer token has no other session.
    { ...byCookie("admin", base), Authorization: "Bearer nobody" },
  ] as Record<string, string>[];
  for (const headers of headerSets) {
    const answer = await send(base + path, { headers, body: { userId: "77" } });
    expect([answer.status, answer.code, answer.data]).toEqual([401, 100002, null]);
  }
  expect(calls.filter(({ action }) => action !== "staff.session")).toEqual([]);
});

test("in the local profile OPERATOR_TOKEN is a Bearer token of the person operator, which the staff service checks", async () => {
  const headers = { Authorization: `Bearer ${config().OPERATOR_TOKEN}` };
  expect((await send(at("gift/all"), { headers })).code).toBe(200);
  expect(of("staff.begin")).toMatchObject([{ params: { session: `token:${config().OPERATOR_TOKEN}` } }]);
  const cookie = { Cookie: `ovation_staff=${config().OPERATOR_TOKEN}`, "X-CSRF-Token": csrfOf("admin") };
  expect((await send(at("gift/all"), { headers: cookie })).status).toBe(401);
});

describe("a POST with the cookie", () => {
  test("passes with the session's CSRF token from the listener's own page", async () => {
    for (const headers of [
      byCookie("support", base),
      { ...byCookie("support", base), "Sec-Fetch-Site": "none" },
      { Cookie: byCookie("support", base).Cookie as string, "X-CSRF-Token": csrfOf("support") },
    ])
      expect((await send(at("account/freeze"), { headers, body: freeze })).code).toBe(200);
    expect(others().map(({ action }) => action)).toEqual(["wallet.freeze", "wallet.freeze", "wallet.freeze"]);
  });

  const elsewhere = (over: Record<string, string>) => () => ({ ...byCookie("support", base), ...over });
  test.each<[string, () => Record<string, string>]>([
    ["without a CSRF token", () => ({ Cookie: byCookie("support", base).Cookie as string })],
    ["with a wrong CSRF token", elsewhere({ "X-CSRF-Token": "wrong" })],
    ["with an empty CSRF token", elsewhere({ "X-CSRF-Token": "" })],
    ["with the CSRF token of another session", elsewhere({ "X-CSRF-Token": csrfOf("admin") })],
    ["with its session as CSRF token", elsewhere({ "X-CSRF-Token": sessionOf("support") })],
    ["of a page elsewhere", elsewhere({ Origin: "https://evil.example" })],
    ["of a page on another port of this host", () => ({ ...byCookie("support", base), Origin: `${base}9` })],
    ["of a page without an origin", elsewhere({ Origin: "null" })],
    ["that a browser calls cross-site", elsewhere({ "Sec-Fetch-Site": "cross-site" })],
    ["that a browser calls same-site", elsewhere({ "Sec-Fetch-Site": "same-site" })],
  ])("is refused %s, and does nothing", async (_what, headersOf) => {
    const answer = await send(at("account/freeze"), { headers: headersOf(), body: freeze });
    expect([answer.status, answer.code]).toEqual([403, 100003]);
    expect(answer.headers.get("x-failure")).toBe("requestForged");
    expect(others()).toEqual([]);
    expect(of("staff.begin")).toEqual([]);
  });

  test("of a page elsewhere logs nobody in either, so no link makes a person act as somebody else", async () => {
    const body = validStaffParams.login;
    for (const headers of [{ Origin: "https://evil.example" }, { "Sec-Fetch-Site": "cross-site" }] as Record<
      string,
      string
    >[])
      expect((await send(at("login"), { headers, body })).status).toBe(403);
    expect(calls).toEqual([]);
    const answer = await send(at("login"), { headers: { Origin: base }, body });
    expect(answer.headers.get("set-cookie")).toMatch(
      new RegExp(`^ovation_staff=${sessionOf("admin")}; Path=/; Max-Age=4[0-9]{4}; HttpOnly; SameSite=Strict$`),
    );
  });

  test("needs none of it as a Bearer token, which no page elsewhere has", async () => {
    const headers = { ...byBearer("support"), Origin: "https://tool.example" };
    expect((await send(at("account/freeze"), { headers, body: freeze })).code).toBe(200);
  });
});

describe("the audit", () => {
  test("has a call's row before the call, with person's session, route, right and subject, and its outcome after it", async () => {
    const headers = { ...byBearer("support"), "X-Request-Id": "the-request-1" };
    expect((await send(at("account/freeze"), { headers, body: freeze })).code).toBe(200);
    expect(calls.map(({ action }) => action)).toEqual([
      "staff.session",
      "staff.begin",
      "wallet.freeze",
      "staff.finish",
    ]);
    const [, begun, , finished] = calls;
    expect(begun?.params).toEqual({
      ...{ session: sessionOf("support"), route: "/live/admin/account/freeze", right: "freeze", params: freeze },
      ...{ about: "77", address: "127.0.0.1", requestId: "the-request-1" },
    });
    expect(finished?.params).toEqual({ callId: expect.stringMatching(/^\d+$/), outcome: "succeeded" });
    for (const { requestId } of calls) expect(requestId).toBe("the-request-1");
  });

  test.each([
    ["a refusal of the business", () => fail("giftUnknown"), 200, "giftUnknown"],
    ["a dependency that is away", () => fail("unavailable"), 503, "unavailable"],
    [
      "an outage of a driver",
      () => Object.assign(new Error("gone"), { code: "ECONNREFUSED", syscall: "connect" }),
      503,
      "unavailable",
    ],
    ["a fault", () => new Error("secret of the inside"), 500, "fault"],
  ])("has the outcome of %s", async (_what, error, status, outcome) => {
    answers["gift.update"] = () => {
      throw error();
    };
    const answer = await send(at("gift/update"), { headers: byBearer("finance"), body: { giftId: 22, price: 5 } });
    expect([answer.status, answer.text.includes("secret")]).toEqual([status, false]);
    expect(of("staff.finish")).toMatchObject([{ params: { outcome } }]);
  });

  test("comes first: where the call cannot be begun it does not happen", async () => {
    answers["staff.begin"] = () => {
      throw fail("unavailable");
    };
    const answer = await send(at("account/freeze"), { headers: byBearer("support"), body: freeze });
    expect(answer.status).toBe(503);
    expect(others()).toEqual([]);
  });

  test("comes last: a call whose outcome cannot be written is answered 503, one that failed keeps its failure", async () => {
    answers["staff.finish"] = () => {
      throw fail("unavailable");
    };
    const error = jest.spyOn((broker.getLocalService("admin-gateway") as AdminGateway).logger, "error");
    error.mockImplementation(() => {});
    const done = await send(at("account/freeze"), { headers: byBearer("support"), body: freeze });
    expect([done.status, done.code]).toEqual([503, 503]);
    expect(of("wallet.freeze")).toHaveLength(1);
    // Tried twice: a repeat changes nothing.
    expect(of("staff.finish")).toHaveLength(2);
    answers["gift.update"] = () => {
      throw fail("giftUnknown");
    };
    const refused = await send(at("gift/update"), { headers: byBearer("finance"), body: { giftId: 22, price: 5 } });
    expect([refused.status, refused.code]).toEqual([200, 10005]);
    expect(error).toHaveBeenCalledTimes(2);
    error.mockRestore();
  });

  test("has the outcome also where the client has left", async () => {
    const going = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<{
      userId: string;
      balance: number;
      debt: number;
      totalCharged: number;
      status: number;
    }>();
    answers["wallet.freeze"] = () => {
      going.resolve();
      return frozen.promise;
    };
    const client = new AbortController();
    const headers = { ...byBearer("support"), "Content-Type": "application/json" };
    const asked = fetch(at("account/freeze"), {
      ...{ method: "POST", headers, body: JSON.stringify(freeze), signal: client.signal },
    }).catch((error: Error) => error.name);
    await going.promise;
    client.abort();
    expect(await asked).toBe("AbortError");
    frozen.resolve({ userId: "77", balance: 0, debt: 0, totalCharged: 0, status: 2 });
    await eventually("the outcome is written", () => of("staff.finish").length === 1);
    expect(of("staff.finish")).toMatchObject([{ params: { outcome: "succeeded" } }]);
  });

  test("has neither passwords nor codes, keys and phone numbers", async () => {
    for (const endpoint of withSession) {
      const body = { ...paramsOf(endpoint) };
      for (const name of ["reason", "remark", "q"]) if (name in body) body[name] = "call 13812345678 or +8613812345678";
      await send(base + endpoint.path, { headers: byBearer("admin"), body });
    }
    const begun = JSON.stringify(of("staff.begin").map(({ params }) => params.params));
    expect(begun).toContain("call *5678 or *5678");
    for (const secret of ["13812345678", "a-password-of-hers", "another-password", "123456"])
      expect([secret, begun.includes(secret)]).toEqual([secret, false]);
  });
});

test("each request leaves one line in the log with its person, without tokens, bodies or queries", async () => {
  const { logger } = broker.getLocalService("admin-gateway") as AdminGateway;
  const lines: unknown[] = [];
  const spies = (["info", "warn", "error"] as const).map((level) =>
    jest.spyOn(logger, level).mockImplementation((...line: unknown[]) => void lines.push(line)),
  );
  const headers = { ...byCookie("support", base), "X-Request-Id": "the-request-2" };
  await send(`${at("account/freeze")}?secret=s3cret`, { headers, body: freeze });
  const own = () => lines.filter((line) => JSON.stringify(line).includes("the-request-2"));
  await eventually("the line is there", () => own().length > 0);
  for (const spy of spies) spy.mockRestore();
  const about = {
    method: "POST",
    path: "/live/admin/account/freeze",
    status: 200,
    code: 200,
    requestId: "the-request-2",
  };
  expect(own()).toEqual([[{ ...about, person: personOf("support"), ms: expect.any(Number) }, "request"]]);
  expect(JSON.stringify(lines)).not.toMatch(/s3cret|session-of|fraud/);
});

test("a query finds an order of a payment or of a gift", async () => {
  const url = at("order/query");
  const headers = byBearer("viewer");
  const body = { orderId: "order-1" };
  expect((await send(url, { headers, body })).data).toMatchObject({ kind: "payment", userId: "77" });
  answers["payment.findOrder"] = () => {
    throw fail("payOrderUnknown");
  };
  expect((await send(url, { headers, body })).data).toMatchObject({ kind: "gift", senderId: expect.any(String) });
  answers["gift.findOrder"] = ({ orderId }) => ({
    ...{ orderId, senderId: "77", receiverId: "78", roomId: 5, giftId: 22, count: 1, price: 90 },
    ...{ status: "accepted", time: "2026-01-02T03:04:05.678Z" },
  });
  expect((await send(url, { headers, body })).data).toMatchObject({ kind: "gift", status: "accepted", senderId: "77" });
  answers["gift.findOrder"] = () => {
    throw fail("giftOrderUnknown");
  };
  expect((await send(url, { headers, body })).code).toBe(501);
});
