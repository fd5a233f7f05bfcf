import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { send, startGateway, startNeighbours } from "./neighbours.ts";

jest.setTimeout(60_000);

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
/** The first answer of success: a node that is busy is not ready for a moment. */
const onceReady = (path: string) =>
  eventually(`${path} is answered 200`, async () => {
    const answer = await get(path);
    return answer.status === 200 ? answer : undefined;
  });
const at = (service: string, host: string) => `/health/ready?${new URLSearchParams({ service, host })}`;
const placed = (service: string, host: string) => get(at(service, host));

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
  const ready = await onceReady("/health/ready");
  expect(JSON.parse(ready.text).services.wallet).toEqual({ ready: true });
  expect(ready.text).not.toContain(hostname());
});

test("the readiness of a service on a host is shown to whoever names the host in full, and nothing else", async () => {
  expect((await onceReady(at("wallet", hostname()))).text).toBe('{"status":"ok"}');
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
  await onceReady("/health/ready?other=1");
});

test("the containers' check finds its own node all the same", async () => {
  for (const service of ["wallet", "api-gateway"])
    await eventually(`the check of ${service} passes`, async () => (await check(service)) === 0, 20_000);
});
