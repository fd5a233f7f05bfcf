import fc from "fast-check";
import { z } from "zod";
import { failures } from "../../../config/errors.ts";
import { endpoints } from "../../../services/api-gateway/endpoints/all.ts";
import type { Endpoint } from "../../../services/api-gateway/endpoints/endpoint.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { stopAll } from "../../support/system.ts";
import { asAlice, calls, checkAgainstContract, forget, send, startGateway, startNeighbours } from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const headersOf = ({ access }: Endpoint): Record<string, string> => (access === "login" ? asAlice : {});

const paramsOf = ({ path }: Endpoint) => validParams[path] as Record<string, unknown>;

type Property = { type?: string; minimum?: number; maximum?: number; pattern?: string };
interface Shape {
  properties: Record<string, Property>;
  required?: string[];
}
const shapeOf = (endpoint: Endpoint) => z.toJSONSchema(endpoint.params, { io: "input" }) as unknown as Shape;

/** No field of any endpoint takes these. */
const neverTaken: readonly unknown[] = [
  true,
  [],
  [1],
  ["1"],
  {},
  { toString: "1" },
  { length: { valueOf: 1, toString: 1 } },
  { $gt: 0 },
  1e30,
  2 ** 53,
  -(2 ** 53),
  1.5,
  "x".repeat(10 * 1024),
  "1".repeat(10 * 1024),
];

/** What the kind of a field must refuse as well. */
function alsoRefused({ type, minimum, maximum, pattern }: Property): unknown[] {
  if (type === "integer") {
    const spelled = ["", " 1", "1 ", "1e3", "0x10", "１", "+1", "1.0", "NaN", "null", "99999999999999999"];
    const bounds = [(minimum ?? 0) - 1, -1, "-1", (maximum ?? 0) + 1, "9007199254740992"];
    return [...spelled, ...bounds];
  }
  if (pattern?.includes("[1-9]")) return ["", "0", "-1", "01", "1 ", "1e3", "18446744073709551616", 0, -1];
  if (pattern !== undefined) return ["../x", "a b", "\u0000", "é", "'; DROP TABLE t; --"];
  return [];
}

const cases = endpoints.flatMap((endpoint) =>
  Object.entries(shapeOf(endpoint).properties).map(([field, property]) => ({ endpoint, field, property })),
);

const internals = /stack|\bat \w+|node_modules|zod|moleculer|TypeError|Validation|\.ts\b/i;

test("there are valid params of every endpoint, and they pass", async () => {
  for (const endpoint of endpoints) {
    forget();
    expect(Object.keys(paramsOf(endpoint)).sort()).toEqual([...endpoint.fields].sort());
    const answer = await send(base + endpoint.path, { headers: headersOf(endpoint), body: paramsOf(endpoint) });
    expect([endpoint.path, answer.status, answer.code]).toEqual([endpoint.path, 200, 200]);
    expect(endpoint.result.safeParse(answer.data).error).toBeUndefined();
    calls.forEach(checkAgainstContract);
  }
});

test("JSON, form fields and query parameters are taken alike", async () => {
  for (const endpoint of endpoints) {
    const headers = headersOf(endpoint);
    const params = paramsOf(endpoint);
    const text = new URLSearchParams(
      Object.entries(params).map(([name, value]) => [name, String(value)] as [string, string]),
    ).toString();
    const seen: unknown[] = [];
    for (const [url, options] of [
      [base + endpoint.path, { headers, body: params }],
      [
        base + endpoint.path,
        { headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded" }, body: text },
      ],
      [`${base}${endpoint.path}?${text}`, { headers }],
    ] as const) {
      forget();
      expect((await send(url, options)).code).toBe(200);
      seen.push(calls.map(({ action, params: given }) => ({ action, given })));
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  }
});

test.each(cases)("$endpoint.path refuses what $field cannot be", async ({ endpoint, field, property }) => {
  const headers = headersOf(endpoint);
  for (const value of [...neverTaken, ...alsoRefused(property)]) {
    const answer = await send(base + endpoint.path, { headers, body: { ...paramsOf(endpoint), [field]: value } });
    const shown = JSON.stringify(value).slice(0, 40);
    expect([shown, answer.status, answer.code]).toEqual([shown, 400, 100001]);
    expect(answer.text).not.toMatch(internals);
  }
  expect(calls).toEqual([]);
});

test.each(cases)("$endpoint.path knows what to do without $field", async ({ endpoint, field }) => {
  const required = shapeOf(endpoint).required?.includes(field);
  for (const params of [
    { ...paramsOf(endpoint), [field]: null },
    { ...paramsOf(endpoint), [field]: undefined },
  ]) {
    forget();
    const answer = await send(base + endpoint.path, { headers: headersOf(endpoint), body: params });
    if (required) {
      const missing = field === "type" && endpoint.path.endsWith("startingLiving") ? [200, 10001] : [400, 100001];
      expect([answer.status, answer.code]).toEqual(missing);
      expect(calls).toEqual([]);
    } else {
      expect(answer.code).toBe(200);
      calls.forEach(checkAgainstContract);
    }
  }
});

test.each(cases)("$endpoint.path refuses two values of $field", async ({ endpoint, field }) => {
  const headers = headersOf(endpoint);
  const params = paramsOf(endpoint);
  const value = encodeURIComponent(String(params[field]));
  const other = `${base}${endpoint.path}?${field}=${value}x`;
  expect((await send(other, { headers, body: params })).code).toBe(400);
  const { [field]: _, ...rest } = params;
  const twice = await send(`${base}${endpoint.path}?${field}=${value}&${field}=${value}`, { headers, body: rest });
  expect([twice.status, twice.code]).toEqual([400, 400]);
  expect(calls).toEqual([]);
  // The same value in both places is one value.
  expect((await send(`${base}${endpoint.path}?${field}=${value}`, { headers, body: params })).code).toBe(200);
});

test("a field called __proto__ or constructor changes nothing", async () => {
  const path = "/live/api/living/anchorConfig";
  const poison = '{"__proto__":{"roomId":5,"admin":true},"constructor":{"prototype":{"admin":true}}}';
  const headers = { ...asAlice, "Content-Type": "application/json" };
  expect((await send(base + path, { headers, body: poison })).code).toBe(100001);
  const query = "__proto__[roomId]=5&__proto__=5&constructor=1&hasOwnProperty=1";
  expect((await send(`${base}${path}?${query}`, { headers: asAlice })).code).toBe(100001);
  expect((await send(`${base}${path}?${query}&roomId=5`, { headers: asAlice })).code).toBe(200);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test.each([
  ["broken JSON", "application/json", '{"roomId":'],
  ["a JSON array", "application/json", "[1]"],
  ["a JSON number", "application/json", "5"],
  ["JSON null", "application/json", "null"],
  ["an unsupported content type", "text/plain", '{"roomId":5}'],
  ["a multipart form", "multipart/form-data; boundary=x", "--x--"],
  ["a charset that is not UTF-8", "application/json; charset=latin1", '{"roomId":5}'],
  ["a form with broken escapes", "application/x-www-form-urlencoded", "roomId=%E0%A4%A"],
  ["a field twice in a form", "application/x-www-form-urlencoded", "roomId=5&roomId=5"],
])("%s is a bad request", async (_what, type, body) => {
  const headers = { ...asAlice, "Content-Type": type };
  const answer = await send(`${base}/live/api/living/anchorConfig`, { headers, body });
  expect([answer.status, answer.code]).toEqual([400, 400]);
  expect(answer.text).not.toMatch(internals);
  expect(calls).toEqual([]);
});

test("a body without a type, one that is compressed, one that is not UTF-8 and a broken query are bad requests", async () => {
  const url = `${base}/live/api/living/anchorConfig`;
  const bytes = (body: number[], headers: Record<string, string>) =>
    fetch(url, { method: "POST", headers: { ...asAlice, ...headers }, body: Uint8Array.from(body) });
  const json = { "Content-Type": "application/json" };
  expect((await bytes([0x7b, 0x7d], {})).status).toBe(400);
  expect((await bytes([0x7b, 0x7d], { ...json, "Content-Encoding": "gzip" })).status).toBe(400);
  expect((await bytes([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d], json)).status).toBe(400);
  expect((await send(`${url}?roomId=%zz`, { headers: asAlice })).code).toBe(400);
});

test("a body over 64 KiB is too large, with or without a Content-Length", async () => {
  const url = `${base}/live/api/living/anchorConfig`;
  const headers = { ...asAlice, "Content-Type": "application/json" };
  const body = JSON.stringify({ roomId: 5, padding: "x".repeat(64 * 1024) });
  const declared = await send(url, { headers, body });
  expect([declared.status, declared.code]).toEqual([413, 413]);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      controller.close();
    },
  });
  const chunked = await fetch(url, { method: "POST", headers, body: stream, duplex: "half" } as RequestInit);
  expect(chunked.status).toBe(413);
  const fits = JSON.stringify({ roomId: 5, padding: "x".repeat(64 * 1024 - 30) });
  expect((await send(url, { headers, body: fits })).code).toBe(200);
  expect(calls.filter(({ action }) => action === "living-room.find")).toHaveLength(1);
});

test.each(["18446744073709551616", "99999999999999999999", "0", "-1"])(
  "a user id that fits no column is an invalid parameter: %s",
  async (receiverId) => {
    const body = { ...validParams["/live/api/gift/send"], receiverId };
    const answer = await send(`${base}/live/api/gift/send`, { headers: asAlice, body });
    expect([answer.status, answer.code]).toEqual([400, 100001]);
    expect(calls.filter(({ action }) => action === "gift.send")).toEqual([]);
  },
);

test("ids that exceed 2^53 go through as text, unharmed", async () => {
  const params = { ...validParams["/live/api/gift/send"], receiverId: "18446744073709551615" };
  await send(`${base}/live/api/gift/send`, { headers: asAlice, body: params });
  expect(calls.at(-1)?.params.receiverId).toBe("18446744073709551615");
  await send(`${base}/live/api/gift/send`, { headers: asAlice, body: { ...params, receiverId: 77 } });
  expect(calls.at(-1)?.params.receiverId).toBe("77");
});

test("whatever is sent, the answer is an envelope with a code of the contract, and never a fault of ours", async () => {
  const codes = [200, ...Object.values(failures).map(({ code }) => code)];
  const json = "application/json";
  const form = "application/x-www-form-urlencoded";
  const text = fc.string({ unit: "binary", maxLength: 60 });
  const escaped = text.map((of) => encodeURIComponent(of.toWellFormed()));
  const requests = fc.constantFrom(...endpoints).chain((endpoint) => {
    const { fields } = endpoint;
    const names = fc.constantFrom(...fields, "__proto__", "constructor", "toString", "then", "%", "a[b]");
    const pairs = fc.array(fc.tuple(names, fc.oneof(escaped, fc.constantFrom("%zz", "%ff", "1", "", "%00"))), {
      maxLength: 4,
    });
    const query = pairs.map((of) => of.map(([name, value]) => `${name}=${value}`).join("&"));
    const bodies = fc.oneof(
      fc.tuple(fc.constant(json), fc.oneof(strangeObject(fields), strangeJson(...fields), text)),
      fc.tuple(fc.constant(form), fc.oneof(query, text)),
      fc.tuple(fc.constantFrom("text/plain", "", `${json}; charset=x`, `${json};;=`, "multipart/form-data"), text),
    );
    const headers = fc.dictionary(
      fc.constantFrom("x-request-id", "x-correlation-id", "cookie", "accept-language", "x-operator-name", "origin"),
      fc.stringMatching(/^[\x21-\x7e]{0,300}$/),
      { maxKeys: 3 },
    );
    return fc.record({ endpoint: fc.constant(endpoint), query, body: bodies, headers });
  });
  const property = fc.asyncProperty(requests, async ({ endpoint, query, body: [type, body], headers }) => {
    const url = `${base}${endpoint.path}${query ? `?${query}` : ""}`;
    const sent = { ...headers, ...headersOf(endpoint), "Content-Type": type };
    const response = await fetch(url, { method: "POST", headers: sent, body });
    const { code, msg, data } = (await response.json()) as Record<string, unknown>;
    expect(codes).toContain(code);
    expect([typeof msg, data === undefined]).toEqual(["string", false]);
    expect([200, 400, 401, 404, 413]).toContain(response.status);
    if (response.status !== 200) expect(response.status).toBe(code === 100001 ? 400 : code === 100002 ? 401 : code);
    calls.forEach(checkAgainstContract);
    forget();
  });
  await fc.assert(property, { numRuns: 150 });
});
