/** Gifts whose effects have long addresses, from the queue to the screen: settler, router and im-servers on nodes of their own. */
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect as connectNats, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { jsonBytes } from "../../../broker/parts.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import { signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import {
  connect,
  cutClients,
  livingRoomFake,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "../im/im-nodes.ts";

const roomId = 7;
const gifts = 3_000;
/** One by one, a tick each, they take minutes; together, a second on a machine that has nothing else to do. */
const shownWithinMs = 40_000;
jest.setTimeout(90_000);
/** Addresses as long as the catalogue takes them, in characters of three bytes: 900 bytes each. */
const address = (n: number) => `/礼${String(n)}`.padEnd(limits.gift.urlChars, "物");

/** Takes every charge; what it was handed in each call. */
const charged: { gifts: GiftCharge[]; bytes: number }[] = [];
const walletFake = {
  name: "wallet",
  actions: {
    consumeForSendGift(ctx: { params: { gifts: GiftCharge[] } }) {
      charged.push({ gifts: ctx.params.gifts, bytes: jsonBytes(ctx.params.gifts) });
      const outcome = { status: "succeeded" as const, income: 1, incomePoints: 100, balanceAfter: 0 };
      return { outcomes: ctx.params.gifts.map(({ orderId }) => ({ orderId, ...outcome })) };
    },
  },
} as unknown as ServiceSchema;

let nats: NatsConnection;
let a: ServiceBroker;
let b: ServiceBroker;

beforeAll(async () => {
  nats = await connectNats(natsOptions("test"));
  const router = await startRouter("router", livingRoomFake, walletFake);
  [a, b] = [await startImServer("im-a"), await startImServer("im-b")];
  for (const node of [a, b]) await seeing(node, { "im-router": 1, "living-room": 1 });
  await seeing(router, { "im-server": 2 });
  const settler = await startNode("gift", [gift]);
  await seeing(settler, { "im-router": 1, wallet: 1 });
});
afterAll(async () => {
  cutClients();
  await nats.close();
  await stopAll();
});

/** What a viewer counts: each order id once, as its entry's count divided by the entry's orders. */
function counted(client: TestClient): Map<string, number> {
  const shares = new Map<string, number>();
  for (const { data } of client.business(5556))
    for (const { orderIds, count } of data.gifts as { orderIds: string[]; count: number }[])
      for (const id of orderIds) shares.set(id, count / orderIds.length);
  return shares;
}

/** All that come within a second. */
async function eventsOfBatches(): Promise<{ gifts: SettledGift[]; bytes: number }[]> {
  const consumer = await nats.jetstream().consumers.get(`${natsPrefix()}EVENTS`, {
    filterSubjects: `${natsPrefix()}event.gift.settled`,
  });
  const found: { gifts: SettledGift[]; bytes: number }[] = [];
  for await (const message of await consumer.fetch({ max_messages: 1_000, expires: 1_000 }))
    found.push({ gifts: message.json<{ data: { gifts: SettledGift[] } }>().data.gifts, bytes: message.data.length });
  return found;
}

/** An accepted gift as it waits in the queue. */
function accepted(orderId: string, n: number) {
  const count = 1 + (n % 99);
  const gift = { giftId: 3, roomId, receiverId: "1", type: 0, count };
  const senderId = String(1_000 + n);
  const rest = {
    orderId,
    senderId,
    price: 10,
    sharePercent: 50,
    url: address(n),
    acceptedAt: new Date().toISOString(),
  };
  return { ...gift, ...rest, contentHash: contentHashOf(gift) };
}

async function enqueue(gifts: readonly ReturnType<typeof accepted>[]): Promise<void> {
  const subject = (senderId: string) => `gift.send.${partitionOf(senderId)}`;
  for (const gift of gifts)
    nats.publish(natsPrefix() + subject(gift.senderId), signedText(subject(gift.senderId), gift));
  await nats.flush();
}

const ordersSeen = (client: TestClient) => counted(client).size;

test("3,000 gifts with long addresses are shown to everybody within seconds, none lost, counts conserved", async () => {
  const viewers = [await connect(a, "21", roomId), await connect(b, "22", roomId)];
  const partitions = limits.gift.partitions;
  // One gift a partition first: from then on the settler pulls them all.
  const first = Array.from({ length: partitions }, (_, n) => accepted(`first-${n}`, n));
  await enqueue(first);
  await eventually("every partition is pulled", () => viewers.every((viewer) => ordersSeen(viewer) === partitions));
  const burst = Array.from({ length: gifts }, (_, n) => accepted(`order-${n}`, n));
  const sent = [...first, ...burst];
  const startedAt = performance.now();
  await enqueue(burst);
  const seen = (viewer: TestClient) => ordersSeen(viewer) >= sent.length || viewer.closed;
  for (const viewer of viewers) await eventually("all gifts on the screen", () => seen(viewer), shownWithinMs);
  expect(performance.now() - startedAt).toBeLessThan(shownWithinMs);
  for (const viewer of viewers) {
    expect(viewer.closed).toBeUndefined();
    expect(counted(viewer)).toEqual(new Map(sent.map(({ orderId, count }) => [orderId, count])));
    const seqs = viewer.business().map(({ data }) => Number(data.seq));
    expect(seqs).toEqual(seqs.map((_, n) => n + 1));
    for (const frame of viewer.frames) expect(jsonBytes(frame)).toBeLessThan(limits.im.roomFrameBytes + 1_000);
  }
  // Calls and messages are of bounded size. A busy machine is late with an ack, and then a batch is delivered again.
  const ordersOf = (list: readonly { gifts: readonly { orderId: string }[] }[]) =>
    new Set(list.flatMap(({ gifts }) => gifts.map(({ orderId }) => orderId)));
  const orders = new Set(sent.map(({ orderId }) => orderId));
  expect(ordersOf(charged)).toEqual(orders);
  const allTold = async () => {
    const found = await eventsOfBatches();
    return ordersOf(found).size >= orders.size ? found : undefined;
  };
  const told = await eventually("all orders are told", allTold, 20_000);
  expect(ordersOf(told)).toEqual(orders);
  for (const { bytes } of [...charged, ...told]) expect(bytes).toBeLessThanOrEqual(limits.bus.listBytes + 1_000);
});
