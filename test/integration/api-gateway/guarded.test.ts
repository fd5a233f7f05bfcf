import { request } from "node:http";
import { limits } from "../../../config/limits.ts";
import { stopAll } from "../../support/system.ts";
import { asAlice, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

// The settings are read at their first use, when the gateway starts.
process.env.LOGIN_CODES_PER_IP_PER_MINUTE = "3";
process.env.METRICS_TOKEN = "token-of-the-one-who-watches";
process.env.TRUST_PROXY = "true";

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const from = (ip: string) => ({ "X-Forwarded-For": ip });
const phone = (at: number) => `138000000${String(at).padStart(2, "0")}`;

test("an address gets so many login codes a minute, for whatever phones, and its other requests go on", async () => {
  const ask = (at: number, ip: string) =>
    send(`${base}/live/api/userLogin/sendLoginCode`, { body: { phone: phone(at) }, headers: from(ip) });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => ask(at, "192.0.2.1")));
  expect(answers.filter(({ code }) => code === 200)).toHaveLength(3);
  const refused = answers.filter(({ code }) => code !== 200);
  expect(refused.map(({ status, code }) => [status, code])).toEqual(Array(7).fill([429, -10001]));
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(calls).toHaveLength(3);
  expect((await ask(50, "192.0.2.2")).code).toBe(200);
  const body = { phone: phone(1), code: "123456" };
  expect((await send(`${base}/live/api/userLogin/login`, { body, headers: from("192.0.2.1") })).code).toBe(200);
});

/** Header lines as they are, where fetch would make one of them. */
function askWithLines(at: number, lines: string[]): Promise<number> {
  const body = JSON.stringify({ phone: phone(at) });
  const headers = { "Content-Type": "application/json", "X-Forwarded-For": lines };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(`${base}/live/api/userLogin/sendLoginCode`, { method: "POST", headers, agent: false }, (answer) => {
    answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
  })
    .on("error", reject)
    .end(body);
  return promise;
}

test.each([
  ["clients with ports of their own", 10, (i: number) => [`198.51.100.${i + 1}:5${1000 + i}`]],
  ["IPv6 clients in brackets, with ports", 10, (i: number) => [`[2001:db8:${i}::1]:443`]],
  ["one client by whatever port", 3, (i: number) => [`203.0.113.7:${50_000 + i}`]],
  ["addresses of one IPv6 /64", 3, (i: number) => [`2001:db8:ffff:1::${(i + 1).toString(16)}`]],
  ["spellings of one IPv4 address", 3, (i: number) => [i % 2 ? "::ffff:203.0.113.8" : "203.0.113.8"]],
  ["lines of the client's own before the proxy's", 3, (i: number) => [`10.0.0.${i}`, "203.0.113.99"]],
])("of ten login codes for %s pass %i", async (_whom, passing, lines) => {
  const statuses = await Promise.all(Array.from({ length: 10 }, (_, i) => askWithLines(i, lines(i))));
  expect(statuses.filter((status) => status === 200)).toHaveLength(passing);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10 - passing);
});

test.each([
  ["/live/api/bank/payProduct", limits.http.payOrdersPerUserPerMinute],
  ["/live/api/im/getImConfig", limits.http.imConfigsPerUserPerMinute],
  ["/live/api/userLogin/logoutAll", limits.http.logoutsOfAllPerUserPerMinute],
  ...["pk/invite", "pk/accept", "pk/decline", "pk/cancel", "pk/end", "living/onlinePk", "living/offlinePk"].map(
    (name) => [`/live/api/${name}`, limits.http.battleChangesPerUserPerMinute] as [string, number],
  ),
  ["/live/api/pk/show", limits.http.battleReadsPerUserPerMinute],
  ["/live/api/pk/history", limits.http.battleReadsPerUserPerMinute],
  ["/live/api/rank/room", limits.http.rankReadsPerUserPerMinute],
])("a user may call %s so often a minute, from however many addresses", async (path, limit) => {
  const body = validParams[path as keyof typeof validParams];
  // What makes no sense is refused for that, and is not counted.
  for (let at = 0; at < 10; at++) expect((await send(base + path, { body: "[", headers: asAlice })).status).toBe(400);
  const ask = (at: number) => send(base + path, { body, headers: { ...asAlice, ...from(`10.0.0.${at % 250}`) } });
  const answers = await Promise.all(Array.from({ length: limit + 5 }, (_, at) => ask(at)));
  expect(answers.filter(({ code }) => code === 200)).toHaveLength(limit);
  expect(answers.filter(({ status, code }) => status === 429 && code === -10001)).toHaveLength(5);
});

test("with a token of their own the metrics, and the nodes' names, are for those who have it", async () => {
  const get = (path: string, token?: string) =>
    send(base + path, { method: "GET", headers: token ? { Authorization: `Bearer ${token}` } : {} });
  for (const wrong of [undefined, "another-token-than-that-one", process.env.OPERATOR_TOKEN]) {
    const answer = await get("/metrics", wrong);
    expect([answer.status, answer.code]).toEqual([401, 100002]);
    const ready = await get("/health/ready", wrong);
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text).services.wallet).toEqual({ ready: true });
    expect(ready.text).not.toContain("neighbours-");
    // This port knows nothing of the staff.
    for (const name of ["staff", "admin-gateway"]) expect(JSON.parse(ready.text).services).not.toHaveProperty(name);
  }
  expect((await get("/metrics", process.env.METRICS_TOKEN)).text).toMatch(/ovation_node_up/);
  const { text } = await get("/health/ready", process.env.METRICS_TOKEN);
  for (const shown of ["neighbours-", "staff", "admin-gateway"]) expect(text).toContain(shown);
});
