import type { ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { Receiver, startWebhooks, World } from "./receivers.ts";

process.env.WEBHOOK_PRIVATE_ADDRESSES = "allow";
jest.setTimeout(120_000);

/** How long a call to a receiver that hangs takes. */
const hangMs = 60_000;
const world = new World();
let receiver: Receiver;
let caller: ServiceBroker;

beforeAll(async () => {
  receiver = await Receiver.open();
  caller = await startNode("neighbours", world.schemas());
  // Receivers that hang do so for longer than the test: whoever waits for them fails it.
  for (const label of ["webhook-1", "webhook-2"]) await startWebhooks(label, { tryMs: hangMs, lookEveryMs: 250 });
  await caller.waitForServices("webhook");
});
afterAll(async () => {
  await receiver.close();
  await stopAll();
});

async function subscribe(paths: readonly string[]): Promise<void> {
  for (const path of paths) await call(caller, "webhook.create", { url: receiver.url(path), events: ["room.closed"] });
  const held = () => rows("webhook", "SELECT holder FROM t_webhook_lease WHERE until_time > UTC_TIMESTAMP(3)");
  const all = (await call(caller, "webhook.list", { limit: 100 })).list.length;
  await eventually("all have nodes", async () => (await held()).length === all);
}

let rooms = 0;

/**
 * Publishes 10 events a second. Resolves once all calls to the paths were made, to how late the slowest of a hundred of
 * them was, ms.
 */
async function latenessOf(paths: readonly string[], seconds: number): Promise<number> {
  const publishedAt = new Map<number, number>();
  const events = 10 * seconds;
  const begun = Date.now();
  for (let n = 1; n <= events; n++) {
    const roomId = ++rooms;
    publishedAt.set(roomId, Date.now());
    await world.publish("room.closed", { roomId, anchorId: "12", time: "t" });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, begun + n * 100 - Date.now())));
  }
  const made = () =>
    receiver.calls.filter(({ path, body }) => paths.includes(path) && publishedAt.has(Number(body.data.roomId)));
  const different = () => new Set(made().map(({ path, id }) => `${path} ${id}`)).size;
  await eventually("all calls", () => different() === events * paths.length, 40_000);
  // None is made twice without need.
  expect(made()).toHaveLength(events * paths.length);
  const late = made().map(({ body, atMs }) => atMs - (publishedAt.get(Number(body.data.roomId)) as number));
  return late.toSorted((a, b) => a - b)[Math.floor(late.length * 0.99)] as number;
}

test("of 20 subscriptions 10 hang: the others get their 100 calls a second in time, from two nodes", async () => {
  const pathsOf = (kind: string) => Array.from({ length: 10 }, (_, n) => `/${kind}-${n}`);
  const [answering, hanging] = [pathsOf("answers"), pathsOf("hangs")];
  await subscribe(answering);
  await latenessOf(answering, 5);
  for (const path of hanging) receiver.answers.set(path, "hang");
  await subscribe(hanging);
  const holders = await rows<{ holder: string }>("webhook", "SELECT DISTINCT holder FROM t_webhook_lease");
  expect(holders).toHaveLength(2);
  // A call that waits for one that hangs is a minute late; other tests that run beside this one make it some seconds.
  expect(await latenessOf(answering, 5)).toBeLessThan(hangMs / 3);
  for (const path of hanging) expect(receiver.at(path)).toHaveLength(limits.webhook.inFlightFirst);
});
