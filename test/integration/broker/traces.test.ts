import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { tracesHeader } from "../../../mixins/jetstream/message.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import imRouter from "../../../services/im-router/im-router.service.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import platform from "../../../services/platform/platform.service.ts";
import user from "../../../services/user/user.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { requestId } from "../../support/client.ts";
import { PlatformBackend } from "../../support/platform-backend.ts";
import { recharge } from "../../support/recharge.ts";
import { type CollectedSpan, SpanCollector } from "../../support/span-collector.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { Viewer } from "../../support/viewer.ts";
import { startGateway } from "../api-gateway/neighbours.ts";

/** One gift over three brokers, NATS and JetStream, with a collector of the test. */

jest.setTimeout(90_000);

const services = ["user", "living-room", "wallet", "gift", "platform", "im-router", "im-server"];
const coins = 1_000;
let collector: SpanCollector;
let house: ServiceBroker;
let base = "";
let backend: PlatformBackend;
let nats: NatsConnection;
const before = { ...process.env };

beforeAll(async () => {
  collector = await SpanCollector.start();
  const traces = { TRACES: "otlp", TRACES_URL: collector.url, TRACES_SAMPLE: "0", TRACES_INCOMING: "server" };
  Object.assign(process.env, traces);
  nats = await connect(natsOptions("test"));
  await startNode("rooms", [imRouter, imServer]);
  house = await startNode("house", [user, livingRoom, wallet, gift, platform]);
  ({ base } = await startGateway(services));
  backend = (await PlatformBackend.open()).at(base);
  await eventually(
    "the gateway lets the key in",
    async () => (await backend.post("wallet/balance", { userId: "77" })).code === 200,
    20_000,
  );
});

afterAll(async () => {
  process.env = before;
  await nats.close();
  await stopAll();
  await collector.stop();
});

/** A room with a viewer in it, and a fan with coins. */
async function scene() {
  const [anchor, fan] = await Promise.all([backend.user(), backend.user()]);
  const { roomId } = await backend.ask<{ roomId: number }>("rooms/open", { externalId: anchor.externalId, type: 1 });
  await recharge(house, `order-${fan.userId}`, fan.userId, coins);
  const { tickets } = await call(house, "im-router.tickets", { userIds: [anchor.userId] });
  const viewer = new Viewer(`${tickets[0]?.address}?token=${tickets[0]?.token}&roomId=${roomId}`);
  await viewer.greeted();
  return { anchor, fan, roomId, viewer };
}

type Scene = Awaited<ReturnType<typeof scene>>;

async function send({ anchor, fan, roomId }: Scene, traceparent?: string, key = backend.key) {
  const gift = { externalId: fan.externalId, receiverId: anchor.userId, roomId, giftId: 24, count: 1 };
  const answer = await fetch(`${base}/live/server/v1/gifts/send`, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", authorization: `Bearer ${key}`, "idempotency-key": randomUUID() },
      ...(traceparent && { traceparent }),
    },
    body: JSON.stringify({ ...gift, requestId: requestId() }),
  });
  return (await answer.json()) as { code: number; data: { orderId: string } };
}

const newTrace = () => randomUUID().replaceAll("-", "");
const platformSpan = "00f067aa0ba902b7";
const traceparentOf = (traceId: string, flags = "01") => `00-${traceId}-${platformSpan}-${flags}`;

/** Waits for spans; says which ones there are where one does not come. */
async function untilSpans(traceId: string, ...wanted: readonly string[]): Promise<void> {
  const names = () => collector.ofTrace(traceId).map(({ name }) => name);
  for (const one of wanted)
    await eventually(one, () => names().includes(one), 20_000).catch((error: Error) => {
      throw new Error(`${error.message}; there are: ${names().join(", ")}`);
    });
}

/** A span and what is below it, as names. */
type Tree = { [name: string]: Tree };
function treeBelow(parent: string, spans: readonly CollectedSpan[]): Tree {
  const own = spans.filter(({ parentSpanId }) => parentSpanId === parent);
  return Object.fromEntries(own.map(({ name, spanId }) => [name, treeBelow(spanId, spans)]));
}

test("one gift is one trace from the request of the platform to the frame: a tree over the queue, three nodes and NATS", async () => {
  const scenery = await scene();
  const traceId = newTrace();
  const { code, data } = await send(scenery, traceparentOf(traceId));
  expect(code).toBe(200);
  await scenery.viewer.saw(data.orderId);
  // Each node exports its spans by itself.
  await untilSpans(traceId, "POST /live/server/v1/gifts/send", "gift.accept", "gift.publish", "gift.settle");
  await untilSpans(traceId, "gift.charge", "wallet.consumeForSendGift", "gift.record", "gift.publishSettled");
  await untilSpans(traceId, "gift.effects", "im-router.roomGifts", "im-server.frame");
  // Every span but the first hangs on another one of the trace.
  const all = await eventually("every span hangs on another one", () => {
    const spans = collector.ofTrace(traceId);
    const known = new Set([platformSpan, ...spans.map(({ spanId }) => spanId)]);
    return spans.every(({ parentSpanId = "" }) => known.has(parentSpanId)) ? spans : undefined;
  });
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
  expect(all.filter(({ parentSpanId }) => parentSpanId === platformSpan)).toHaveLength(1);
  const first = treeBelow(platformSpan, all)["POST /live/server/v1/gifts/send"];
  expect(first?.["gift.accept"]).toEqual({
    "gift.publish": {
      "gift.settle": {
        "gift.charge": { "wallet.consumeForSendGift": {} },
        "gift.record": {},
        "gift.publishSettled": { "gift.effects": { "im-router.roomGifts": { "im-server.frame": {} } } },
      },
    },
  });
  expect(all.filter(({ failed }) => failed)).toEqual([]);
  expect(new Set(all.map(({ node }) => node)).size).toBe(3);
  scenery.viewer.close();
});

test("no span has the key, a token, a user, a text of the platform, or the order", async () => {
  const scenery = await scene();
  const traceId = newTrace();
  const { data } = await send(scenery, traceparentOf(traceId));
  await scenery.viewer.saw(data.orderId);
  await untilSpans(traceId, "im-server.frame");
  const { anchor, fan } = scenery;
  for (const secret of [backend.key, fan.userId, anchor.userId, fan.externalId, data.orderId])
    expect([secret, collector.text.includes(secret)]).toEqual([secret, false]);
  scenery.viewer.close();
});

test("a trace that the platform does not record, and one of a caller without a key, are not begun", async () => {
  const scenery = await scene();
  const [unsampled, strangers, traced] = [newTrace(), newTrace(), newTrace()];
  const { data } = await send(scenery, traceparentOf(unsampled, "00"));
  await scenery.viewer.saw(data.orderId);
  expect((await send(scenery, traceparentOf(strangers), "ovk_nobody")).code).not.toBe(200);
  // Spans are sent in their order: once this one is there, those would be.
  const last = await send(scenery, traceparentOf(traced));
  await scenery.viewer.saw(last.data.orderId);
  await untilSpans(traced, "im-server.frame");
  expect([...collector.ofTrace(unsampled), ...collector.ofTrace(strangers)]).toEqual([]);
  scenery.viewer.close();
});

test("a gift that is not traced is settled, and its message has no header of a trace", async () => {
  const scenery = await scene();
  const seen: string[][] = [];
  const watch = nats.subscribe(`${natsPrefix()}gift.send.*`, {
    callback: (_error, message) => seen.push(message.headers?.values(tracesHeader) ?? []),
  });
  await nats.flush();
  const { data } = await send(scenery);
  await scenery.viewer.saw(data.orderId);
  await eventually("the message", () => seen.length > 0);
  // One that is not acked in time is published again.
  expect(seen).toEqual(seen.map(() => []));
  const traceId = newTrace();
  const traced = await send(scenery, traceparentOf(traceId));
  await scenery.viewer.saw(traced.data.orderId);
  const carried = await eventually("the message of the trace", () => seen.flat()[0]);
  expect(carried).toMatch(new RegExp(`^${traced.data.orderId} 00-${traceId}-[0-9a-f]{16}-01$`));
  watch.unsubscribe();
  scenery.viewer.close();
});
