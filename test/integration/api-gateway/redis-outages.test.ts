import { Redis } from "ioredis";
import imRouter from "../../../services/im-router/im-router.service.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import notification from "../../../services/notification/notification.service.ts";
import user from "../../../services/user/user.service.ts";
import { type PrivateServer, privateRedis } from "../../support/private-server.ts";
import { redisStates } from "../../support/redis-states.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { neighbourNames, send, startGateway, startNeighbours } from "./neighbours.ts";

let server: PrivateServer;
let admin: Redis;
let base: string;
let token: string;

beforeAll(async () => {
  server = await privateRedis();
  process.env.REDIS_URL = server.url;
  admin = new Redis(server.url);
  await startNode("behind", [user, notification, imRouter, imServer]);
  const behind = ["user", "notification", "im-router", "im-server"];
  await startNeighbours([...neighbourNames.filter((name) => !behind.includes(name)), "provisioner"]);
  ({ base } = await startGateway());
  const phone = "13912345678";
  const sent = await send(`${base}/live/api/userLogin/sendLoginCode`, { body: { phone } });
  const { devCode } = sent.data as { devCode: string };
  const login = await send(`${base}/live/api/userLogin/login`, { body: { phone, code: devCode } });
  ({ token } = login.data as { token: string });
});
afterAll(async () => {
  await stopAll();
  admin?.disconnect();
  await server?.close();
});

let phones = 0;
const asUser = () => ({ headers: { Authorization: `Bearer ${token}` } });
const code = () =>
  send(`${base}/live/api/userLogin/sendLoginCode`, { body: { phone: `137${String(10_000_000 + phones++)}` } });
const imConfig = () => send(`${base}/live/api/im/getImConfig`, asUser());
const products = () => send(`${base}/live/api/bank/products`, { ...asUser(), body: { type: 0 } });
const ready = async () => (await send(`${base}/health/ready`, { method: "GET" })).status;

test.each(redisStates.map((state) => [state.name, state] as const))(
  "while Redis answers %s what needs it is 503 with Retry-After, readiness says so, and all of it heals by itself",
  async (_name, state) => {
    await eventually("served", async () => (await code()).code === 200 && (await imConfig()).code === 200);
    await eventually("ready", async () => (await ready()) === 200);
    await state.does(admin);
    try {
      for (const ask of [code, imConfig]) {
        const { status, code: said, headers } = await ask();
        expect([status, said, headers.get("retry-after")]).toEqual([503, 503, "2"]);
      }
      // Logins need no Redis.
      expect((await products()).status).toBe(200);
      await eventually("not ready", async () => (await ready()) === 503);
    } finally {
      await state.undoes(admin);
    }
    await eventually("served again", async () => (await code()).code === 200 && (await imConfig()).code === 200);
    await eventually("ready again", async () => (await ready()) === 200);
  },
);

test("which services need Redis, and which go on without it", async () => {
  await admin.config("SET", "min-replicas-to-write", "1");
  try {
    const sick = async () => {
      const { services } = JSON.parse((await send(`${base}/health/ready`, { method: "GET" })).text) as {
        services: Record<string, { ready: boolean; nodes: object }>;
      };
      const started = Object.entries(services).filter(([, { nodes }]) => Object.keys(nodes).length > 0);
      return started.filter(([, { ready }]) => !ready).map(([name]) => name);
    };
    await eventually(
      "these alone are not ready",
      async () => (await sick()).sort().join() === "im-router,im-server,user",
    );
  } finally {
    await admin.config("SET", "min-replicas-to-write", "0");
  }
  expect(neighbourNames).toContain("gift");
});
