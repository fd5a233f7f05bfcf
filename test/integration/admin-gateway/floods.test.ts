import { stopAll } from "../../support/system.ts";
import { calls, forget, send, startNeighbours } from "../api-gateway/neighbours.ts";
import { byBearer, byCookie, startAdminGateway } from "./admin-node.ts";

// The settings are read when the gateway starts.
process.env.ADMIN_FAILURES_PER_IP_PER_MINUTE = "5";
process.env.ADMIN_REQUESTS_PER_IP_PER_MINUTE = "40";
process.env.TRUST_PROXY = "true";

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startAdminGateway());
});
beforeEach(forget);
afterAll(stopAll);

const from = (ip: string) => ({ "X-Forwarded-For": ip });
const ask = (ip: string, headers: Record<string, string> = {}) =>
  send(`${base}/live/admin/gift/all`, { headers: { ...headers, ...from(ip) } });

test("after so many requests without a valid session an address is refused, and the staff service is not asked", async () => {
  const guess = (at: number) => ({ Authorization: `Bearer guess-${at}` });
  const statuses: number[] = [];
  for (let at = 0; at < 12; at++) statuses.push((await ask("192.0.2.1", at % 2 ? guess(at) : {})).status);
  expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
  const refused = await ask("192.0.2.1", guess(99));
  expect([refused.status, refused.code]).toEqual([429, -10001]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(calls.filter(({ action }) => action === "staff.session").length).toBeLessThanOrEqual(5);
  // Others go on.
  expect((await ask("192.0.2.2", byBearer("viewer"))).status).toBe(200);
});

test("a session that the node knows gets in from an address from which others guess; an unknown one waits", async () => {
  expect((await ask("192.0.2.3", byBearer("finance"))).status).toBe(200);
  for (let at = 0; at < 8; at++) await ask("192.0.2.3");
  expect((await ask("192.0.2.3", byBearer("finance"))).status).toBe(200);
  expect((await ask("192.0.2.3", byBearer("admin"))).status).toBe(429);
});

test("strangers at the same address, as behind a tunnel, keep out nobody whose session the node knows", async () => {
  const ip = "192.0.2.6";
  expect((await ask(ip, byBearer("support"))).status).toBe(200);
  const flood = () => send(`${base}/admin/`, { method: "GET", headers: from(ip) });
  for (let at = 0; at < 45; at++) await flood();
  expect((await flood()).status).toBe(429);
  expect((await ask(ip, byBearer("support"))).status).toBe(200);
  // A page on another port of this host, with the cookie that a browser sends along, is none of the session's requests.
  const elsewhere = { ...byCookie("support", base), "Sec-Fetch-Site": "same-site" };
  expect((await ask(ip, elsewhere)).status).toBe(429);
  expect((await ask(ip, byCookie("support", base))).status).toBe(200);
});

test("a session has its own bound", async () => {
  const own = (ip: string) => ask(ip, byBearer("finance"));
  expect((await own("192.0.2.7")).status).toBe(200);
  const statuses: number[] = [];
  for (let at = 0; at < 45; at++) statuses.push((await own(`192.0.2.${100 + at}`)).status);
  expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
});

test("an address gets so many requests a minute, to whatever path", async () => {
  const paths = ["/admin/", "/openapi-admin.json", "/nothing", "/live/admin/login"];
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => send(base + paths[at % 4], { method: "GET", headers: from("192.0.2.4") })),
  );
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(10);
  expect((await send(`${base}/admin/`, { method: "GET", headers: from("192.0.2.5") })).status).toBe(200);
  // Whether the process lives is answered all the same.
  expect((await send(`${base}/health/live`, { method: "GET", headers: from("192.0.2.4") })).status).toBe(200);
});
