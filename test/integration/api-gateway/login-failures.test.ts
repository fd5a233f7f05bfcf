import type { ServiceBroker } from "moleculer";
import notification from "../../../services/notification/notification.service.ts";
import user from "../../../services/user/user.service.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { whileRedisAnswers } from "../../support/while-redis-answers.ts";
import { send, startGateway, startNeighbours } from "./neighbours.ts";

let redis: CuttableServer;
let base = "";
let broker: ServiceBroker;

beforeAll(async () => {
  redis = await cuttable(process.env.REDIS_URL as string);
  // The settings are read when the first node starts.
  Object.assign(process.env, {
    REDIS_URL: redis.url,
    TRUST_PROXY: "1",
    LOGIN_FAILURES_PER_IP_PER_MINUTE: "3",
    LOGIN_CODES_PER_IP_PER_MINUTE: "4",
  });
  await startNode("others", [user, notification]);
  await startNeighbours(["living-room", "gift", "wallet", "payment", "im-router", "im-server"]);
  ({ base, broker } = await startGateway(["user", "notification"]));
});
afterAll(async () => {
  redis.mend();
  await stopAll();
  await redis.close();
});

const from = (ip: string, path: string, body: object) =>
  send(`${base}/live/api/userLogin/${path}`, { body, headers: { "X-Forwarded-For": ip } });
let phones = 0;
const newPhone = () => `138${String(30_000_000 + phones++)}`;
async function codeFor(phone: string): Promise<string> {
  const { data } = await from(`203.0.113.${phones}`, "sendLoginCode", { phone });
  return (data as { devCode: string }).devCode;
}

test("an address whose logins fail is refused, for every phone; the owner of a phone logs in from elsewhere", () =>
  whileRedisAnswers("api-gateway", [broker], async (number) => {
    const phone = newPhone();
    const code = await codeFor(phone);
    const wrong = code === "000000" ? "000001" : "000000";
    // The addresses of one /64 are one client's.
    const client = (n: number) => `2001:db8:${number}::${n}`;
    const codes: number[] = [];
    for (let n = 1; n <= 3; n++) codes.push((await from(client(n), "login", { phone, code: wrong })).code);
    expect(codes).toEqual([501, 501, 501]);
    const refused = await from(client(7), "login", { phone, code });
    expect([refused.status, refused.code, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, -10001, true]);
    expect((await from(client(7), "login", { phone: newPhone(), code: "123456" })).status).toBe(429);
    expect((await from(`2001:db8:${number}:1::7`, "login", { phone, code })).code).toBe(200);
  }));

test("what is malformed, and what succeeds, is not counted", async () => {
  for (let n = 0; n < 5; n++) {
    expect((await from("198.51.100.1", "login", { phone: "123", code: "123456" })).code).toBe(10003);
    const phone = newPhone();
    expect((await from("198.51.100.1", "login", { phone, code: await codeFor(phone) })).code).toBe(200);
  }
});

test("without Redis the requests of an address at this node count", async () => {
  redis.cut();
  try {
    const answers: number[] = [];
    for (let n = 0; n < 6; n++)
      answers.push((await from("198.51.100.2", "sendLoginCode", { phone: newPhone() })).status);
    expect(answers).toEqual([503, 503, 503, 503, 429, 429]);
  } finally {
    redis.mend();
  }
  await eventually(
    "served",
    async () => (await from("198.51.100.3", "sendLoginCode", { phone: newPhone() })).code === 200,
  );
});
