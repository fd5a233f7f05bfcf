/**
 * docs/integrating.md and the backend of examples/platform/, as they stand, against the running system.
 *
 * How the page is run: its `sh` blocks, in their order, are one bash script that ends at the first command that fails.
 * - The block with `npm start` is not run. The running system stands for it, with a gateway of its own that gets the
 *   settings that the block exports.
 * - The two addresses, of Ovation and of the platform's backend, are those of this run.
 * - Ids of the platform end with -0001, -0002, ... and get another number in each run: an id is one gift for ever.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServerClient, type ServerClient } from "../../../clients/typescript/src/index.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { claimFreePort } from "../../../scripts/stack/ports.ts";
import { startExtraNode } from "../../support/cluster-nodes.ts";
import { eventually } from "../../support/eventually.ts";
import { PlatformBackend } from "../../support/platform-backend.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

// The page's commands are processes of their own, and the client is compiled.
jest.setTimeout(180_000);

const example = join(projectRoot(), "examples/platform");
const page = readFileSync(join(projectRoot(), "docs/integrating.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block as string);
const isStart = (block: string) => /^npm start$/m.test(block);
const run = String(randomInt(1_000, 10_000));
const folder = mkdtempSync(join(tmpdir(), "ovation-example-"));

let port: number;
let url: string;
let gateway: Child;
let apiKey: string;
let ovation: ServerClient;
let backend: Child | undefined;
let script: ChildProcess | undefined;

/** A block with what is of this run. */
function ofThisRun(block: string): string {
  return block
    .replaceAll("http://127.0.0.1:8088", url)
    .replaceAll("http://127.0.0.1:4000", `http://127.0.0.1:${port}`)
    .replace(/-000(\d)\b/g, `-${run}$1`);
}

beforeAll(async () => {
  port = await claimFreePort(randomInt(28_000, 32_000), new Set());
  const settings = [...ofThisRun(blocks.find(isStart) ?? "").matchAll(/([A-Z_]+)=(\S+)/g)];
  expect(settings.map(([, name]) => name)).toContain("JWT_JWKS_URL");
  gateway = startExtraNode("api-gateway", "gateway-of-the-example", {
    ...{ JWT_SECRET: undefined, API_PORT_SEARCH: "true" },
    ...Object.fromEntries(settings.map(([, name, value]) => [name, value])),
  });
  const ready = await gateway.ready;
  const { ports } = JSON.parse(ready?.[1] ?? "{}") as { ports: Record<string, number> };
  url = `http://127.0.0.1:${ports["api-gateway"]}`;
  ({ key: apiKey } = await PlatformBackend.open());
  ovation = createServerClient({ baseUrl: url, apiKey });
});

afterAll(async () => {
  if (script?.exitCode === null && script.pid !== undefined) process.kill(-script.pid, "SIGKILL");
  if (backend) await killed(backend);
  await deleteWebhooks();
  await gateway.stop(10_000);
  await runScript("npm run -s operator -- remove alice");
  rmSync(folder, { recursive: true, force: true });
  await expectWholeBooksBalanced();
});

/** Deletes what leads to the backend of this run. */
async function deleteWebhooks(): Promise<void> {
  const { list } = await ovation.api.webhooks.list({});
  for (const { webhookId, url: to } of list)
    if (to.includes(`:${port}/`)) await ovation.api.webhooks.delete({ webhookId });
}

/** Runs it in bash, in the folder of the project; resolves to what it wrote once it has ended well. */
async function runScript(text: string): Promise<string> {
  const env = { ...process.env, TMPDIR: folder, PORT: String(port) };
  // A group of its own: what it started in the background is found by its id.
  const bash = spawn("bash", ["-euo", "pipefail", "-c", text], { cwd: projectRoot(), env, detached: true });
  script = bash;
  let written = "";
  for (const output of [bash.stdout, bash.stderr])
    output.setEncoding("utf8").on("data", (data: string) => {
      written += data;
    });
  const code = await new Promise((resolve) => bash.on("close", resolve));
  if (code !== 0) throw new Error(`a command failed (${code}). Written:\n${written}`);
  return written;
}

test("docs/integrating.md: its commands lead to the first gift, the webhook, the user's JWT and her room", async () => {
  expect(blocks.filter(isStart)).toHaveLength(1);
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  const written = await runScript(
    blocks
      .filter((block) => !isStart(block))
      .map(ofThisRun)
      .join("\n"),
  );
  expect(written.match(/"outcome":"accepted"/g)).toHaveLength(2);
  expect(written).toMatch(new RegExp(`"senderExternalId":"fan-${run}1"`));
  expect(written).toContain(`"currentBalance":410`);
  expect(written).toMatch(/"wsImServerAddress":"ws:/);
  expect(written).toMatch(/^gifts: .*"count":2/m);
  expect(written).toMatch(/#token=ey[\w.-]+&view=\/room\/\d+$/m);
  await deleteWebhooks();
});

test("the example is small enough to be copied: under 150 lines in all, and two dependencies", () => {
  const files = readdirSync(example).filter((file) => file !== "README.md");
  const lines = files.map((file) => readFileSync(join(example, file), "utf8").split("\n").length - 1);
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThan(150);
  const { dependencies } = JSON.parse(readFileSync(join(example, "package.json"), "utf8"));
  const ours = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8"));
  const client = JSON.parse(readFileSync(join(projectRoot(), "clients/typescript/package.json"), "utf8"));
  expect(dependencies).toEqual({ "@ovation/client": client.version, jose: ours.dependencies.jose });
});

/** SIGKILL: nothing of it runs any more when this resolves. */
async function killed(child: Child): Promise<void> {
  process.kill(child.pid as number, "SIGKILL");
  await child.exited;
}

/** A call of the example's own API: POST with a body, else GET. */
async function ask<T>(path: string, body?: object | string, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = body === undefined ? {} : { method: "POST", body: text as string, headers };
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, request);
  return { status: response.status, data: (await response.json()) as T };
}

async function startBackend(secret: string): Promise<void> {
  backend = startChild({
    ...{ name: "backend", command: process.execPath, args: [join(example, "backend.js")], cwd: folder },
    env: { OVATION_URL: url, OVATION_API_KEY: apiKey, OVATION_WEBHOOK_SECRET: secret, PORT: String(port) },
    output: { prefix: "backend|" },
    ready: /^the platform's backend is at/,
  });
  await backend.ready;
}

describe("a backend that was killed", () => {
  const [fan, anchor, show] = [`the fan ${run} 天使`, `the anchor ${run}`, `the show ${run}`];
  const price = 90;
  let webhookId: string;
  let secret: string;
  let orders: string[] = [];

  const settled = async () => (await ask<{ orderId: string; status: string }[]>("gifts")).data;
  const deliveries = async () => (await ovation.api.webhooks.deliveries({ webhookId, limit: 50 })).list;
  const journal = () =>
    readFileSync(join(folder, "platform-data/events.jsonl"), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id: string; data: { gifts: { orderId: string }[] } });

  async function give(): Promise<string> {
    const order = `order-${randomBytes(8).toString("hex")}`;
    const gift = { externalId: fan, receiverExternalId: anchor, externalRoomId: show, giftId: 22, count: 1 };
    const sent = await ovation.gifts.send({ ...gift, requestId: order });
    if (sent.outcome !== "accepted") throw sent;
    expect(await ovation.gifts.outcomeOf(sent.orderId)).toMatchObject({ status: "succeeded" });
    return sent.orderId;
  }

  beforeAll(async () => {
    if (!existsSync(join(projectRoot(), "clients/typescript/dist")))
      await runScript("npm run -s build --workspace clients/typescript");
    const to = { url: `http://127.0.0.1:${port}/webhook`, events: ["gift.settled" as const] };
    ({ webhookId, secret } = await ovation.api.webhooks.create(to));
    await startBackend(secret);
  });

  test("gets what it missed after its restart, and each gift once", async () => {
    expect((await ask("rooms", { anchor, name: "Anna", room: show })).status).toBe(200);
    for (let again = 0; again < 2; again++)
      expect(await ask("coins", { user: fan, coins: 1_000, order: `purchase-${run}` })).toMatchObject({
        data: { balanceAfter: 1_000 },
      });
    const gift = { user: fan, anchor, room: show, gift: 22, count: 1, order: `first-gift-${run}` };
    const first = await ask<{ orderId: string }>("gifts", gift);
    expect(first).toMatchObject({ status: 200, data: { outcome: "accepted" } });
    expect((await ask<{ orderId: string }>("gifts", gift)).data.orderId).toBe(first.data.orderId);
    await eventually("the first gift is told", async () => (await settled()).length === 1);

    // It accepts connections, and answers nothing.
    process.kill(backend?.pid as number, "SIGSTOP");
    orders = [first.data.orderId, await give(), await give(), await give()];
    await eventually("a delivery waits", async () => (await deliveries()).some(({ status }) => status === "waiting"));
    await killed(backend as Child);
    await eventually("a try has failed", async () =>
      (await deliveries()).some(({ tries, failure }) => tries > 0 && failure === "connectionFailed"),
    );
    await startBackend(secret);
    await eventually("every gift is told", async () => (await settled()).length === orders.length, 20_000);
    expect((await settled()).map(({ orderId }) => orderId).sort()).toEqual([...orders].sort());
    const made = await eventually("every delivery has succeeded", async () => {
      const list = await deliveries();
      return list.every(({ status }) => status === "succeeded") ? list : undefined;
    });
    expect(made.filter(({ tries }) => tries > 1).length).toBeGreaterThan(0);
    const { balance } = await ovation.api.wallet.balance({ externalId: fan });
    expect(balance).toBe(1_000 - orders.length * price);
  });

  test("knows the events that it has: a replay is answered 200 and not stored again", async () => {
    const had = journal().map(({ id }) => id);
    expect(new Set(had).size).toBe(had.length);
    const before = await deliveries();
    const { deliveryId, lastTime } = before[0] as (typeof before)[number];
    expect(await ovation.api.webhooks.replay({ webhookId, deliveryId })).toMatchObject({ replayed: 1 });
    await eventually("it was delivered again", async () =>
      (await deliveries()).some(
        (one) => one.deliveryId === deliveryId && one.status === "succeeded" && one.lastTime !== lastTime,
      ),
    );
    expect(journal().map(({ id }) => id)).toEqual(had);
  });

  test("refuses what Ovation has not signed", async () => {
    const forged = JSON.stringify({ id: "msg_forged", type: "gift.settled", data: { gifts: [{ orderId: "forged" }] } });
    const headers = { "webhook-id": "msg_forged", "webhook-timestamp": String(Math.floor(Date.now() / 1_000)) };
    const signature = { "webhook-signature": `v1,${randomBytes(32).toString("base64")}` };
    expect((await ask("webhook", forged, { ...headers, ...signature })).status).toBe(400);
    expect((await ask("webhook", forged)).status).toBe(400);
    expect((await ask("coins", "no JSON")).status).toBe(400);
    expect((await settled()).length).toBe(orders.length);
  });
});
