import type { ServiceBroker } from "moleculer";
import { stopAll } from "../../support/system.ts";
import { whileRedisAnswers } from "../../support/while-redis-answers.ts";
import { calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

// The settings are read at their first use, when the gateway starts.
process.env.REQUESTS_PER_IP_PER_MINUTE = "5";
process.env.TRUST_PROXY = "true";

let base = "";
let broker: ServiceBroker;

beforeAll(async () => {
  await startNeighbours();
  ({ base, broker } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const login = "/live/api/userLogin/login";
const credentials = { phone: "13800000000", code: "123456" };
const from = (ip: string) => ({ "X-Forwarded-For": ip });

test("of parallel requests of one address no more pass than the limit", () =>
  whileRedisAnswers("api-gateway", [broker], async (number) => {
    forget();
    const answers = await Promise.all(
      // What the client itself wrote in front does not make it another address.
      Array.from({ length: 20 }, (_, at) =>
        send(base + login, { body: credentials, headers: from(`10.0.0.${at}, 198.51.100.${number}`) }),
      ),
    );
    const passed = answers.filter(({ code }) => code === 200);
    const refused = answers.filter(({ code }) => code === -10001);
    expect([passed.length, refused.length]).toEqual([5, 15]);
    expect(calls).toHaveLength(5);
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      const seconds = Number(answer.headers.get("retry-after"));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    expect((await send(base + login, { body: credentials, headers: from(`192.0.2.${number}0`) })).code).toBe(200);
  }));

test("what providers and operators of the machine call is not counted", async () => {
  for (let at = 0; at < 8; at++) {
    const headers = from("192.0.2.3");
    expect((await send(`${base}/live/bank/payNotify/wxNotify`, { body: "{}", headers })).status).toBe(401);
    expect((await send(`${base}/health/live`, { method: "GET", headers })).status).toBe(200);
    expect((await send(`${base}/`, { method: "GET", headers })).status).toBe(200);
  }
  expect(calls[0]?.params.ip).toBe("192.0.2.3");
});

test("behind a trusted proxy that speaks TLS the cookie is Secure and the forwarded host is this host", async () => {
  const headers = {
    ...from("192.0.2.5"),
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "live.example",
    Origin: "https://live.example",
  };
  const answer = await send(base + login, { body: credentials, headers });
  expect(answer.headers.get("set-cookie")).toMatch(/^qytk=.+; Secure$/);
});
