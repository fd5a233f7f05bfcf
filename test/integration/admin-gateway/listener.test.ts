import { request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { failures } from "../../../config/errors.ts";
import { staffEndpoints } from "../../../services/admin-gateway/endpoints/all.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { calls, checkAgainstContract, forget, send, startNeighbours } from "../api-gateway/neighbours.ts";
import { byBearer, byCookie, startAdminGateway } from "./admin-node.ts";
import { validStaffParams } from "./valid-params.ts";

process.env.ADMIN_URL = "https://staff.example.com";
process.env.ADMIN_HOSTS = "staff-two.example.com, 10.1.2.3";

let base = "";
let port = 0;

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startAdminGateway());
  port = Number(new URL(base).port);
});
beforeEach(forget);
afterAll(stopAll);

/** fetch would take the dots out of a path, and sets the Host header by itself. */
function raw(method: string, path: string, headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
  })
    .on("error", reject)
    .end();
  return promise;
}

describe("the Host of a request", () => {
  const status = async (host: string) =>
    (await raw("POST", "/live/admin/gift/all", { ...byBearer("admin"), host })).status;

  test.each([
    ["127.0.0.1", "127.0.0.1:8098", "127.0.0.2", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8098"],
    ["staff.example.com", "staff.example.com:443", "STAFF.example.com", "staff-two.example.com", "10.1.2.3:8098"],
  ])("may be a loopback name or address, or one of the settings: %s, ...", async (...hosts) => {
    for (const host of hosts) expect([host, await status(host)]).toEqual([host, 200]);
  });

  test.each([
    ["evil.example", "evil.example:8098", "localhost.evil.example", "127.0.0.1.evil.example", "10.1.2.4"],
    ["staff.example.com.", "xstaff.example.com", "[fe80::1]", "169.254.169.254", "0.0.0.0", "127.0.0.1@evil.example"],
    [" ", "a b", "[::1", "127.0.0.1:99999999"],
  ])("is refused where it is another, as of a name that was made to lead here: %s, ...", async (...hosts) => {
    for (const host of hosts) expect([host, await status(host)]).toEqual([host, 400]);
    for (const path of ["/admin/", "/openapi-admin.json", "/js/dom.js"])
      expect((await raw("GET", path, { ...byCookie("admin", base), host: hosts[0] as string })).status).toBe(400);
    expect(calls).toEqual([]);
  });
});

describe("every answer", () => {
  test.each([
    ["GET", "/admin/"],
    ["GET", "/favicon.svg"],
    ["GET", "/admin/vendor/uplot.js"],
    ["GET", "/nothing"],
    ["POST", "/live/admin/gift/all"],
    ["POST", "/live/admin/login"],
    ["POST", "/live/admin/nothing"],
  ])(
    "of %s %s lets a browser load nothing from elsewhere and nothing inline, and nobody frame it",
    async (method, path) => {
      const { headers } = await send(base + path, { method });
      const policy = headers.get("content-security-policy") ?? "";
      for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
        expect(policy).toContain(part);
      for (const part of [
        "img-src 'self' data: https:",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ])
        expect(policy).toContain(part);
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("access-control-allow-origin")).toBeNull();
      if (path.startsWith("/live/")) expect(headers.get("cache-control")).toBe("no-store");
    },
  );
});

describe("the page", () => {
  test("is served with its scripts, those that it shares with the users' page, and the charting library", async () => {
    for (const path of ["/", "/admin"]) {
      const { status, headers } = await send(base + path, { method: "GET" });
      expect([status, headers.get("location")]).toEqual([302, "/admin/"]);
    }
    for (const [path, type] of [
      ["/admin/", "text/html; charset=utf-8"],
      ["/admin/index.html", "text/html; charset=utf-8"],
      ["/js/dom.js", "text/javascript; charset=utf-8"],
      ["/admin/css/base.css", "text/css; charset=utf-8"],
      ["/favicon.svg", "image/svg+xml"],
      ["/admin/vendor/uplot.js", "text/javascript; charset=utf-8"],
      ["/admin/vendor/uplot.css", "text/css; charset=utf-8"],
    ] as const) {
      const { status, headers, text } = await send(base + path, { method: "GET" });
      expect([path, status, headers.get("content-type"), text.length > 50]).toEqual([path, 200, type, true]);
    }
    expect(calls).toEqual([]);
  });

  test("is asked for again with what the browser has, and then not sent", async () => {
    const { headers } = await send(`${base}/admin/`, { method: "GET" });
    const again = await send(`${base}/admin/`, {
      ...{ method: "GET", headers: { "If-None-Match": headers.get("etag") as string } },
    });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  test("has no other file of the system, of the users' page or of a folder beside it, by whatever path", async () => {
    for (const path of [
      ...[
        "/admin/../package.json",
        "/admin/%2e%2e/package.json",
        "/admin/..%2fpackage.json",
        "/admin/.%2e/config/config.ts",
      ],
      ...["/admin/..\\package.json", "/admin//index.html", "/admin/./index.html", "/admin/index.html/", "/admin/js"],
      ...[
        "/package.json",
        "/.env",
        "/.git/config",
        "/js/../../package.json",
        "/js/main.js",
        "/index.html",
        "/css/base.css",
      ],
      ...["/admin/index.html%00.js", "/admin/index", "/admin/.html", "/admin/vendor/uplot.ts", "//admin/", "/ADMIN/"],
      ...["/metrics", "/openapi.json", "/docs", "/live/api/gift/listGift", "/page.json", "/health"],
    ]) {
      const { status, text } = await raw("GET", path);
      expect([path, status]).toEqual([path, 404]);
      expect(JSON.parse(text)).toMatchObject({ code: 404, data: null });
    }
  });
});

test("a login's cookie is for TLS alone, since ADMIN_URL is https, whatever this listener sees of the proxy", async () => {
  const { headers } = await send(`${base}/live/admin/login`, { body: validStaffParams.login });
  expect(headers.get("set-cookie")).toMatch(/^ovation_staff=.*; SameSite=Strict; Secure$/);
});

test("the document of the API is for those with a session, and has every endpoint with its right", async () => {
  expect((await send(`${base}/openapi-admin.json`, { method: "GET" })).status).toBe(401);
  const { Cookie } = byCookie("viewer", base);
  const { text } = await send(`${base}/openapi-admin.json`, { method: "GET", headers: { Cookie: Cookie as string } });
  const { paths } = JSON.parse(text) as {
    paths: Record<string, { post: { description: string; security: object[] } }>;
  };
  expect(Object.keys(paths)).toEqual(staffEndpoints.map(({ path }) => path));
  for (const { path, right } of staffEndpoints) {
    expect(paths[path]?.post.description).toContain(right === null ? "no session" : `\`${right}\``);
    expect(paths[path]?.post.security).toHaveLength(right === null ? 0 : 2);
  }
});

test("liveness and readiness are answered without a session, and name nothing inside", async () => {
  for (const path of ["/health/live", "/health/ready"]) {
    const { text } = await eventually(`${path} is answered 200`, async () => {
      const answer = await send(base + path, { method: "GET" });
      return answer.status === 200 ? answer : undefined;
    });
    expect(text).toBe('{"status":"ok"}');
  }
});

test("a body over 64 KiB, a broken one, another method and garbage are refused, and the listener goes on", async () => {
  const headers = { ...byBearer("admin"), "Content-Type": "application/json" };
  const url = `${base}/live/admin/account/freeze`;
  const post = async (body: string, over = {}) => (await send(url, { headers: { ...headers, ...over }, body })).status;
  expect(await post(JSON.stringify({ userId: "77", reason: "x".repeat(70 * 1024) }))).toBe(413);
  expect(await post("{")).toBe(400);
  expect(await post("[]")).toBe(400);
  expect(await post("a=1", { "Content-Type": "text/plain" })).toBe(400);
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
    expect([method, (await raw(method, "/live/admin/account/freeze", headers)).status]).toEqual([method, 404]);
  const socket = connect(port, "127.0.0.1");
  socket.end("\u0000\u0001 garbage\r\n\r\n");
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("data", (data) => resolve(data.toString()));
  expect(await promise).toMatch(/^HTTP\/1.1 400/);
  expect((await send(`${base}/health/live`, { method: "GET" })).status).toBe(200);
});

test("whatever is sent, the answer is an envelope with a code of the contract, and never a fault of ours", async () => {
  const codes = [200, ...Object.values(failures).map(({ code }) => code)];
  const json = "application/json";
  const text = fc.string({ unit: "binary", maxLength: 60 });
  const requests = fc.constantFrom(...staffEndpoints).chain((endpoint) => {
    const { fields } = endpoint;
    const bodies = fc.oneof(
      fc.tuple(fc.constant(json), fc.oneof(strangeObject(fields), strangeJson(...fields), text)),
      fc.tuple(fc.constantFrom("text/plain", "", `${json}; charset=x`, "multipart/form-data"), text),
    );
    const headers = fc.dictionary(
      fc.constantFrom("x-request-id", "cookie", "accept-language", "x-csrf-token", "origin", "sec-fetch-site"),
      fc.stringMatching(/^[\x21-\x7e]{0,300}$/),
      { maxKeys: 3 },
    );
    return fc.record({ endpoint: fc.constant(endpoint), body: bodies, headers, asAdmin: fc.boolean() });
  });
  const property = fc.asyncProperty(requests, async ({ endpoint, body: [type, body], headers, asAdmin }) => {
    const sent = { ...headers, ...(asAdmin && byBearer("admin")), "Content-Type": type };
    const response = await fetch(base + endpoint.path, { method: "POST", headers: sent, body });
    const { code, msg, data } = (await response.json()) as Record<string, unknown>;
    expect(codes).toContain(code);
    expect([typeof msg, data === undefined]).toEqual(["string", false]);
    expect([200, 400, 401, 403, 413]).toContain(response.status);
    calls.forEach(checkAgainstContract);
    forget();
  });
  await fc.assert(property, { numRuns: 100 });
});
