import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { type ApiScope, apiScopes } from "../../../services/api-scopes.ts";
import { call } from "../../../services/contracts.ts";
import platform from "../../../services/platform/platform.service.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { send, startGateway } from "../api-gateway/neighbours.ts";
import { isSigned, Receiver, startWebhooks, World } from "./receivers.ts";

/** The endpoints webhooks/* of the server API: a gateway, a platform and a webhook node, and a receiver. */

jest.setTimeout(60_000);
process.env.WEBHOOK_PRIVATE_ADDRESSES = "allow";

const world = new World();
let receiver: Receiver;
let person: ServiceBroker;
let base: string;
let key: string;

beforeAll(async () => {
  receiver = await Receiver.open();
  await startNode("neighbours", world.schemas());
  await startNode("platform", [platform]);
  await startWebhooks("webhook");
  person = await startNode("person", [], "console");
  ({ base } = await startGateway(["webhook", "platform"]));
  await person.waitForServices("platform");
  key = await makeKey(apiScopes);
});
afterEach(() => {
  process.env.WEBHOOK_PRIVATE_ADDRESSES = "allow";
});
afterAll(async () => {
  await stopAll();
  await receiver.close();
});

const makeKey = async (scopes: readonly ApiScope[]) =>
  (await call(person, "platform.createKey", { name: "backend", scopes: [...scopes], operator: "console:test" })).key;
const newId = () => `write-${randomUUID()}`;
const post = (path: string, body: object, id = newId(), as = key) =>
  send(`${base}/live/server/v1/webhooks/${path}`, {
    body,
    headers: { Authorization: `Bearer ${as}`, "Idempotency-Key": id, "Accept-Language": "en" },
  });
const dataOf = async <Data>(answer: ReturnType<typeof post>): Promise<Data> => {
  const { status, code, data } = await answer;
  expect([status, code]).toEqual([200, 200]);
  return data as Data;
};

interface Made {
  webhookId: string;
  secret: string;
}
interface Delivery {
  deliveryId: string;
  messageId: string;
  status: string;
  httpStatus: number | null;
  time: string;
}

const closeRoom = () => world.publish("room.closed", { roomId: 5, anchorId: "12", time: new Date().toISOString() });
const come = (path: string, count: number) =>
  eventually(`${count} calls to ${path}`, () => (receiver.at(path).length >= count ? receiver.at(path) : undefined));
const logOf = async (webhookId: string) => (await dataOf<{ list: Delivery[] }>(post("deliveries", { webhookId }))).list;

test("a webhook from its making to its end: posted and signed, logged, replayed, rotated, switched off and on, deleted", async () => {
  const [url, path] = [receiver.url("/life"), "/life"];
  const made = await dataOf<Made>(post("create", { url, events: ["room.closed"], description: "rooms" }));
  expect((await dataOf<{ list: object[] }>(post("list", {}))).list).toMatchObject([
    { webhookId: made.webhookId, url, events: ["room.closed"], orderBy: "none", description: "rooms", enabled: true },
  ]);
  await closeRoom();
  const [first] = await come(path, 1);
  expect(first && isSigned(first, made.secret)).toBe(true);
  const [delivery] = await eventually("it is logged", async () => {
    const log = await logOf(made.webhookId);
    return log[0]?.status === "succeeded" ? log : undefined;
  });
  expect(delivery).toMatchObject({ messageId: first?.id, httpStatus: 200 });

  const { webhookId } = made;
  const { secret } = await dataOf<{ secret: string }>(post("rotate", { webhookId }));
  expect(secret).not.toBe(made.secret);
  expect(await dataOf(post("replay", { webhookId, deliveryId: delivery?.deliveryId }))).toMatchObject({ replayed: 1 });
  const [, again] = await come(path, 2);
  expect(again?.id).toBe(first?.id);
  expect(again && [made.secret, secret].map((one) => isSigned(again, one))).toEqual([true, true]);
  const span = { webhookId, from: "2026-01-01T00:00:00.000Z", to: new Date(Date.now() + 60_000).toISOString() };
  await eventually("it may be made again", async () => (await logOf(webhookId))[0]?.status === "succeeded");
  expect(await dataOf(post("replay", span))).toEqual({ replayed: 1, nextFrom: null });
  await come(path, 3);

  const off = await dataOf<object>(post("update", { webhookId, enabled: false }));
  expect(off).toMatchObject({ enabled: false, disabledReason: "asked" });
  expect(await dataOf<object>(post("update", { webhookId, enabled: true }))).toMatchObject({ enabled: true });
  expect(await dataOf(post("delete", { webhookId }))).toBeNull();
  for (const [gone, body] of [
    ["delete", { webhookId }],
    ["rotate", { webhookId }],
    ["update", { webhookId, enabled: true }],
    ["deliveries", { webhookId }],
    ["replay", span],
  ] as const)
    expect([gone, (await post(gone, body)).code]).toEqual([gone, 501]);
});

test("a repeat of create and of rotate shows the same secret, which is nowhere beside the idempotency key", async () => {
  const [id, rotation] = [newId(), newId()];
  const body = { url: receiver.url("/again"), events: ["room.closed"] };
  const both = await Promise.all([dataOf<Made>(post("create", body, id)), dataOf<Made>(post("create", body, id))]);
  expect(both[1]).toEqual(both[0]);
  const { webhookId } = both[0];
  const rotate = () => dataOf<{ secret: string }>(post("rotate", { webhookId }, rotation));
  expect(await rotate()).toEqual(await rotate());
  expect((await post("create", { ...body, events: ["room.opened"] }, id)).code).toBe(10011);
  const kept = await rows<{ answer: string | null }>("platform", "SELECT answer FROM t_idempotency");
  expect(kept.filter(({ answer }) => answer?.includes("whsec_"))).toEqual([]);
  await dataOf(post("delete", { webhookId }));
});

test("a URL that no webhook may have is refused with a text that says so, at create and update", async () => {
  process.env.WEBHOOK_PRIVATE_ADDRESSES = "";
  const urls = [
    ...[
      "http://example.com/",
      "https://127.0.0.1/",
      "https://0x7f.1/",
      "https://[::ffff:10.0.0.1]/",
      "https://localhost/",
    ],
    "https://169.254.169.254/latest/meta-data",
  ];
  for (const url of urls) {
    const answer = await post("create", { url, events: ["room.closed"] });
    expect([url, answer.status, answer.code]).toEqual([url, 400, 100001]);
    expect(answer.msg).toMatch(/must be https, .* private address/);
  }
  const { webhookId } = await dataOf<Made>(post("create", { url: "https://example.com/", events: ["room.closed"] }));
  expect((await post("update", { webhookId, url: "https://10.0.0.1/" })).status).toBe(400);
  for (const url of ["https://user:pass@example.com/", "ftp://example.com/", "example.com", ""])
    expect([url, (await post("create", { url, events: ["room.closed"] })).status]).toEqual([url, 400]);
  await dataOf(post("delete", { webhookId }));
});

test("the endpoints need the scope webhooks, and events that exist", async () => {
  const other = await makeKey(apiScopes.filter((scope) => scope !== "webhooks"));
  for (const path of ["create", "list", "update", "delete", "rotate", "deliveries", "replay"])
    expect([path, (await post(path, {}, newId(), other)).code]).toEqual([path, 100003]);
  const unknown = { url: receiver.url("/x"), events: ["books.sealed"] };
  expect((await post("create", unknown)).code).toBe(100001);
});
