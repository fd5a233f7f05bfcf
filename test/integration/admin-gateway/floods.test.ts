import type { ServiceBroker } from "moleculer";
import type { AdminGateway } from "../../../services/admin-gateway/gateway.ts";
import type { StaffRole } from "../../../services/staff-roles.ts";
import { stopAll } from "../../support/system.ts";
import { whileRedisAnswers } from "../../support/while-redis-answers.ts";
import { calls, forget, send, startNeighbours } from "../api-gateway/neighbours.ts";
import { byBearer, byCookie, startAdminGateway } from "./admin-node.ts";

// The settings are read when the gateway starts.
process.env.ADMIN_FAILURES_PER_IP_PER_MINUTE = "5";
process.env.ADMIN_REQUESTS_PER_IP_PER_MINUTE = "40";
process.env.TRUST_PROXY = "true";

let base = "";
let broker: ServiceBroker;

beforeAll(async () => {
  await startNeighbours();
  ({ base, broker } = await startAdminGateway());
});
beforeEach(forget);
afterAll(stopAll);

const from = (ip: string) => ({ "X-Forwarded-For": ip });
const counted = (attempt: (number: number) => Promise<void>) => whileRedisAnswers("admin-gateway", [broker], attempt);
const ask = (ip: string, headers: Record<string, string> = {}) =>
  send(`${base}/live/admin/gift/all`, { headers: { ...headers, ...from(ip) } });

test("after so many requests without a valid session an address is refused, and the staff service is not asked", () =>
  counted(async (number) => {
    forget();
    const ip = `192.0.2.1${number}`;
    const guess = (at: number) => ({ Authorization: `Bearer guess-${at}` });
    const statuses: number[] = [];
    for (let at = 0; at < 12; at++) statuses.push((await ask(ip, at % 2 ? guess(at) : {})).status);
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    const refused = await ask(ip, guess(99));
    expect([refused.status, refused.code]).toEqual([429, -10001]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(calls.filter(({ action }) => action === "staff.session").length).toBeLessThanOrEqual(5);
    // Others go on.
    expect((await ask(`192.0.2.2${number}`, byBearer("viewer"))).status).toBe(200);
  }));

test("a session that the node knows gets in from an address from which others guess; an unknown one waits", () =>
  counted(async (number) => {
    const ip = `192.0.2.3${number}`;
    (broker.getLocalService("admin-gateway") as unknown as AdminGateway).sessionsKnown.clear();
    expect((await ask(ip, byBearer("finance"))).status).toBe(200);
    for (let at = 0; at < 8; at++) await ask(ip);
    expect((await ask(ip, byBearer("finance"))).status).toBe(200);
    expect((await ask(ip, byBearer("admin"))).status).toBe(429);
  }));

test("strangers at the same address, as behind a tunnel, keep out nobody whose session the node knows", () =>
  counted(async (number) => {
    const ip = `192.0.2.6${number}`;
    expect((await ask(ip, byBearer("support"))).status).toBe(200);
    const flood = () => send(`${base}/admin/`, { method: "GET", headers: from(ip) });
    for (let at = 0; at < 45; at++) await flood();
    expect((await flood()).status).toBe(429);
    expect((await ask(ip, byBearer("support"))).status).toBe(200);
    // A page on another port of this host, with the cookie that a browser sends, is none of the session's requests.
    const elsewhere = { ...byCookie("support", base), "Sec-Fetch-Site": "same-site" };
    expect((await ask(ip, elsewhere)).status).toBe(429);
    expect((await ask(ip, byCookie("support", base))).status).toBe(200);
  }));

test("a session has its own bound", () =>
  counted(async (number) => {
    const role = (["finance", "viewer", "admin"] as const)[number - 1] as StaffRole;
    const own = (ip: string) => ask(ip, byBearer(role));
    expect((await own(`192.0.2.7${number}`)).status).toBe(200);
    const statuses: number[] = [];
    for (let at = 0; at < 45; at++) statuses.push((await own(`192.0.2.${100 + at}`)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
  }));

test("an address gets so many requests a minute, to whatever path", () =>
  counted(async (number) => {
    const [ip, other] = [`192.0.2.4${number}`, `192.0.2.5${number}`];
    const paths = ["/admin/", "/openapi-admin.json", "/nothing", "/live/admin/login"];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => send(base + paths[at % 4], { method: "GET", headers: from(ip) })),
    );
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(10);
    expect((await send(`${base}/admin/`, { method: "GET", headers: from(other) })).status).toBe(200);
    // Whether the process lives is answered all the same.
    expect((await send(`${base}/health/live`, { method: "GET", headers: from(ip) })).status).toBe(200);
  }));
