import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { stopAll } from "../../support/system.ts";
import { send, startGateway, startNeighbours } from "./neighbours.ts";

// The settings are read at their first use, when the gateway starts.
process.env.PROFILE = "production";
process.env.SMS_PROVIDER = "webhook";
process.env.SMS_WEBHOOK_URL = "http://127.0.0.1:9/sms";
process.env.CASHIER_SECRET = "";
process.env.METRICS_TOKEN = "the-token-of-the-metrics";
process.env.TRUST_PROXY = "false";

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
});
afterAll(stopAll);

const get = (path: string) => send(base + path, { method: "GET" });
const placed = (service: string, host: string) => get(`/health/ready?${new URLSearchParams({ service, host })}`);

/** The check of a container, on this machine; resolves to its exit code. */
function check(service: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = execFile(process.execPath, [join(projectRoot(), "scripts/health.ts"), service, base]);
  child.on("exit", (code) => resolve(code ?? -1));
  return promise;
}

test("in production without the token nobody sees a node's name or the metrics", async () => {
  const metrics = await get("/metrics");
  expect([metrics.status, metrics.code]).toEqual([401, 100002]);
  const ready = await get("/health/ready");
  expect(ready.status).toBe(200);
  expect(JSON.parse(ready.text).services.wallet).toEqual({ ready: true });
  expect(ready.text).not.toContain(hostname());
});

test("the readiness of a service on a host is shown to whoever names the host in full, and nothing else", async () => {
  const here = await placed("wallet", hostname());
  expect([here.status, here.text]).toEqual([200, '{"status":"ok"}']);
  for (const host of ["another-host", hostname().slice(0, -1), `${hostname()}.`, ".*"]) {
    const other = await placed("wallet", host);
    expect([other.status, other.text]).toEqual([503, '{"status":"unavailable"}']);
  }
  for (const [service, host] of [
    ["wallet", ""],
    ["no-service", hostname()],
    ["constructor", hostname()],
  ] as const)
    expect((await placed(service, host)).status).toBe(400);
  for (const query of ["service=wallet", "host=h", `service=wallet&service=gift&host=${hostname()}`, "host=%"])
    expect((await get(`/health/ready?${query}`)).status).toBe(400);
  expect((await get("/health/ready?other=1")).status).toBe(200);
});

test("the containers' check finds its own node all the same", async () => {
  expect(await Promise.all([check("wallet"), check("api-gateway")])).toEqual([0, 0]);
});
