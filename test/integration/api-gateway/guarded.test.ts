import { request } from "node:http";
import type { ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { tokenOf } from "../../support/tokens.ts";
import { whileRedisAnswers } from "../../support/while-redis-answers.ts";
import { calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

// The settings are read at their first use, when the gateway starts.
process.env.LOGIN_CODES_PER_IP_PER_MINUTE = "3";
process.env.METRICS_TOKEN = "token-of-the-one-who-watches";
process.env.TRUST_PROXY = "true";

let base = "";
let broker: ServiceBroker;

beforeAll(async () => {
  await startNeighbours();
  ({ base, broker } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const from = (ip: string) => ({ "X-Forwarded-For": ip });
const phone = (at: number) => `138000000${String(at).padStart(2, "0")}`;

test("an address gets so many login codes a minute, for whatever phones, and its other requests go on", () =>
  whileRedisAnswers("api-gateway", [broker], async (number) => {
    forget();
    const [own, other] = [`192.0.2.${number}`, `192.0.2.${number}0`];
    const ask = (at: number, ip: string) =>
      send(`${base}/live/api/userLogin/sendLoginCode`, { body: { phone: phone(at) }, headers: from(ip) });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => ask(at, own)));
    expect(answers.filter(({ code }) => code === 200)).toHaveLength(3);
    const refused = answers.filter(({ code }) => code !== 200);
    expect(refused.map(({ status, code }) => [status, code])).toEqual(Array(7).fill([429, -10001]));
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(calls).toHaveLength(3);
    expect((await ask(50, other)).code).toBe(200);
    const body = { phone: phone(1), code: "123456" };
    expect((await send(`${base}/live/api/userLogin/login`, { body, headers: from(own) })).code).toBe(200);
  }));

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
  ["clients with ports of their own", 10, (i: number, n: number) => [`198.51.100.${10 * n + i}:5${1000 + i}`]],
  ["IPv6 clients in brackets, with ports", 10, (i: number, n: number) => [`[2001:db8:${n}${i}::1]:443`]],
  ["one client by whatever port", 3, (i: number, n: number) => [`203.0.113.${n}:${50_000 + i}`]],
  ["addresses of one IPv6 /64", 3, (i: number, n: number) => [`2001:db8:ffff:${n}::${(i + 1).toString(16)}`]],
  [
    "spellings of one IPv4 address",
    3,
    (i: number, n: number) => [i % 2 ? `::ffff:203.0.113.8${n}` : `203.0.113.8${n}`],
  ],
  ["lines of the client's own before the proxy's", 3, (i: number, n: number) => [`10.0.0.${i}`, `203.0.113.9${n}`]],
])("of ten login codes for %s pass %i", (_whom, passing, lines) =>
  whileRedisAnswers("api-gateway", [broker], async (number) => {
    const statuses = await Promise.all(Array.from({ length: 10 }, (_, i) => askWithLines(i, lines(i, number))));
    expect(statuses.filter((status) => status === 200)).toHaveLength(passing);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10 - passing);
  }),
);

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
])("a user may call %s so often a minute, from however many addresses", (path, limit) =>
  whileRedisAnswers("api-gateway", [broker], async (number) => {
    const body = validParams[path as keyof typeof validParams];
    const login = { Authorization: `Bearer ${tokenOf(`900000000000000000${number}`)}` };
    // What makes no sense is refused for that, and is not counted.
    for (let at = 0; at < 10; at++) expect((await send(base + path, { body: "[", headers: login })).status).toBe(400);
    const ask = (at: number) => send(base + path, { body, headers: { ...login, ...from(`10.0.0.${at % 250}`) } });
    const answers = await Promise.all(Array.from({ length: limit + 5 }, (_, at) => ask(at)));
    expect(answers.filter(({ code }) => code === 200)).toHaveLength(limit);
    expect(answers.filter(({ status, code }) => status === 429 && code === -10001)).toHaveLength(5);
  }),
);

test("with a token of their own the metrics, and the nodes' names, are for those who have it", async () => {
  const get = (path: string, token?: string) =>
    send(base + path, { method: "GET", headers: token ? { Authorization: `Bearer ${token}` } : {} });
  for (const wrong of [undefined, "another-token-than-that-one", process.env.OPERATOR_TOKEN]) {
    const answer = await get("/metrics", wrong);
    expect([answer.status, answer.code]).toEqual([401, 100002]);
    const ready = await eventually("it is ready", async () => {
      const answer = await get("/health/ready", wrong);
      return answer.status === 200 ? answer : undefined;
    });
    expect(JSON.parse(ready.text).services.wallet).toEqual({ ready: true });
    expect(ready.text).not.toContain("neighbours-");
    // This port knows nothing of the staff.
    for (const name of ["staff", "admin-gateway"]) expect(JSON.parse(ready.text).services).not.toHaveProperty(name);
  }
  await eventually("metrics of the nodes", async () =>
    /ovation_node_up/.test((await get("/metrics", process.env.METRICS_TOKEN)).text),
  );
  await eventually("every name is shown", async () => {
    const { text } = await get("/health/ready", process.env.METRICS_TOKEN);
    return ["neighbours-", "staff", "admin-gateway"].every((shown) => text.includes(shown));
  });
});
