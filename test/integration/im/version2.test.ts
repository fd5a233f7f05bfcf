/** Version 2 of the protocol, plain and compressed, beside version 1 in the same rooms on two im-servers. */
import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { orderTag } from "../../../services/im-server/frames-v2.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import {
  connect,
  cutClients,
  livingRoomFake,
  open,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "./im-nodes.ts";

let a: ServiceBroker;
let b: ServiceBroker;
let caller: ServiceBroker;

beforeAll(async () => {
  const router = await startRouter("router", livingRoomFake);
  // Notifications are sent again soon.
  [a, b] = [await startImServer("im-a"), await startImServer("im-b", { notificationResendMs: 100 })];
  await seeing(router, { "im-server": 2 });
  caller = await startNode("caller", []);
  await seeing(caller, { "im-router": 1, "im-server": 2 });
  await Promise.all([a, b].map((node) => seeing(node, { "im-router": 1, "living-room": 1 })));
});
afterAll(async () => {
  cutClients();
  await stopAll();
});

const forms = { v1: {}, v2: { v: "2" }, deflated: { v: "2", compress: "deflate-raw" } };

let made = 0;
/** A gift with an order id whose tag is its own, too. */
const gift = (count: number, senderId = "5", receiverId = "1") => ({
  orderId: `f7a151d0-0c52-4d3f-9b0c-${String(++made).padStart(12, "0")}`,
  ...{ senderId, receiverId, giftId: 3, count, price: 10, url: "/gift/3.svga" },
});
type Gift = ReturnType<typeof gift>;

function send(roomId: number, gifts: Gift[]): Promise<null> {
  return call(caller, "im-router.roomGifts", { bucket: routerBucketOf(roomId), rooms: [{ roomId, gifts }] });
}

/** What viewers of either version count: the pieces by sender and tag. */
function counted(...clients: TestClient[]): Record<string, number> {
  const pieces: Record<string, number> = {};
  for (const { data } of clients.flatMap((client) => client.business(5556)))
    for (const item of data.gifts as (Gift & { orderIds: string[] })[] | (string | number)[][])
      if (Array.isArray(item)) {
        let each = 0;
        for (const part of item.slice(2))
          if (typeof part === "number") each = part;
          else if (typeof part === "string") pieces[`${item[0]} ${part}`] = each;
      } else
        for (const id of item.orderIds) pieces[`${item.senderId} ${orderTag(id)}`] = item.count / item.orderIds.length;
  return pieces;
}

const sentPieces = (gifts: readonly Gift[]) =>
  Object.fromEntries(gifts.map(({ senderId, orderId, count }) => [`${senderId} ${orderTag(orderId)}`, count]));

const seqs = (client: TestClient) => client.business().map(({ data }) => Number(data.seq));

test("viewers of all forms on both nodes count every gift, in the same frames, while others enter the room", async () => {
  const viewers: TestClient[] = [];
  const late: Promise<TestClient>[] = [];
  let userId = 100;
  for (const node of [a, b])
    for (const form of Object.values(forms))
      viewers.push(await connect(node, `${userId++}`, 40, form), await connect(node, `${userId++}`, 40, form));
  const gifts: Gift[] = [];
  for (let round = 0; round < 10; round++) {
    const some = Array.from({ length: 200 }, (_, i) => gift(1 + (i % 7), String(100 + (i % 50)), i % 9 ? "1" : "2"));
    gifts.push(...some);
    await Promise.all([send(40, some), send(40, some.slice(0, 20))]);
    if (round % 3 === 0)
      for (const form of Object.values(forms)) late.push(connect(round % 2 ? a : b, `${userId++}`, 40, form));
  }
  for (const viewer of viewers)
    await eventually("all gifts", () => Object.keys(counted(viewer)).length === gifts.length);
  for (const viewer of viewers) {
    expect(counted(viewer)).toEqual(sentPieces(gifts));
    expect(seqs(viewer)).toEqual(seqs(viewer).map((_, i) => i + 1));
  }
  const last = Math.max(...seqs(viewers[0] as TestClient));
  for (const viewer of await Promise.all(late)) {
    await eventually("the last frame", () => Number(viewer.greeting?.seq) === last || seqs(viewer).at(-1) === last);
    expect(seqs(viewer)[0] ?? last + 1).toBe(Number(viewer.greeting?.seq) + 1);
  }
  // The viewers of a form get the same bytes.
  const received = viewers.map(({ messages }) => Buffer.concat(messages.slice(1).map(({ data }) => data)));
  for (const form of [0, 2, 4])
    for (const same of [form + 1, form + 6, form + 7])
      expect(received[same]?.equals(received[form] as Buffer)).toBe(true);
  expect(viewers[4]?.messages.some(({ isBinary }) => isBinary)).toBe(true);
  expect(viewers.slice(0, 4).some(({ messages }) => messages.some(({ isBinary }) => isBinary))).toBe(false);
  const [bytes1, , bytes2, , deflated] = received.map(({ length }) => length) as number[];
  expect(bytes2).toBeLessThan(Number(bytes1) / 3);
  expect(deflated).toBeLessThan(Number(bytes2) * 0.75);
});

test("version 1 has the same bytes as without the parameter", async () => {
  const [plain, named] = [await connect(a, "201", 41), await connect(b, "202", 41, { v: "1" })];
  const one = gift(4);
  await send(41, [one]);
  plain.chat("hello");
  for (const client of [plain, named]) await eventually("both frames", () => client.business().length === 2);
  const [gifts, chat] = plain.business();
  const at = (seq: number) => `"data":{"roomId":41,"seq":${seq},"epoch":"${plain.greeting?.epoch}",`;
  const entry = '"senderId":"5","receiverId":"1","giftId":3,"count":4,"price":10,"url":"/gift/3.svga"';
  const expected = [
    `{"code":1003,"body":{"msgId":"${gifts?.msgId}","appId":10001,"userId":"0","bizCode":5556,` +
      `${at(1)}"gifts":[{"orderIds":["${one.orderId}"],${entry}}]}}}`,
    `{"code":1003,"body":{"msgId":"${chat?.msgId}","appId":10001,"userId":"201","bizCode":5555,` +
      `${at(2)}"content":"hello","senderId":"201"}}}`,
  ];
  for (const { messages } of [plain, named])
    expect(messages.slice(1).map(({ data }) => data.toString())).toEqual(expected);
  expect(Object.keys(named.greeting ?? {})).toEqual(["userId", "nodeId", "epoch", "seq"]);
});

test("version 2 greets with version and anchor, and leaves out of gifts, chat and closing what the client knows", async () => {
  const client = await connect(a, "211", 42, forms.v2);
  expect(client.greeting).toMatchObject({ userId: "211", v: 2, anchorId: "1" });
  const epoch = client.greeting?.epoch;
  const [one, toGuest] = [gift(4), gift(1, "6", "9")];
  await send(42, [one, toGuest]);
  await eventually("the gifts", () => client.business().length === 1);
  client.chat("hello");
  await eventually("the chat", () => client.business().length === 2);
  await call(caller, "im-router.closeRoom", { roomId: 42 });
  await client.closing();
  expect(client.business()).toEqual([
    {
      bizCode: 5556,
      data: {
        ...{ seq: 1, epoch },
        gifts: [
          ["5", 3, 4, orderTag(one.orderId)],
          ["6", 3, 1, orderTag(toGuest.orderId), { to: "9" }],
        ],
      },
    },
    { msgId: expect.any(String), userId: "211", bizCode: 5555, data: { seq: 2, epoch, content: "hello" } },
    { msgId: "room-closed:42", bizCode: 5562, data: { seq: 3, epoch } },
  ]);
});

test.each([
  ["1 to compressed 2 and back", ["v1", "deflated", "v1"]],
  ["compressed 2 to 1 and to plain 2", ["deflated", "v1", "v2"]],
] as const)(
  "a client that changes its version at reconnect, from %s, counts every gift once",
  async (_what, versions) => {
    const roomId = versions[0] === "v1" ? 43 : 44;
    const visits: TestClient[] = [];
    const gifts: Gift[] = [];
    const more = async () => {
      const some = Array.from({ length: 60 }, (_, i) => gift(1 + (i % 3), String(300 + (i % 20))));
      gifts.push(...some);
      await send(roomId, some);
    };
    let cursor = {};
    for (const [i, version] of versions.entries()) {
      const client = await connect(i % 2 ? b : a, "221", roomId, { ...cursor, ...forms[version] });
      visits.push(client);
      await more();
      await eventually("all so far", () => Object.keys(counted(...visits)).length === gifts.length);
      expect(client.greeting?.recovered).toBe(i > 0 ? true : undefined);
      cursor = { since: seqs(client).at(-1), epoch: client.greeting?.epoch };
      await client.leave();
      await more();
    }
    const last = await connect(a, "221", roomId, { ...cursor, ...forms.deflated });
    visits.push(last);
    await eventually("all", () => Object.keys(counted(...visits)).length === gifts.length);
    expect(counted(...visits)).toEqual(sentPieces(gifts));
    const all = visits.flatMap(seqs);
    expect(all).toEqual(all.map((_, i) => i + 1));
  },
);

test("a notification in version 2 names no receiver, and is sent again until it is acked by its id", async () => {
  const client = await connect(b, "231", 45, forms.deflated);
  const data = { orderId: "o1", msg: "余额不足", code: 10010 };
  await call(caller, "im-router.sendToUser", { userId: "231", msgId: "failed:o1", bizCode: 5557, data });
  await eventually("a repeat", () => client.business(5557).length >= 2);
  expect(client.business(5557)[1]).toEqual({ msgId: "failed:o1", bizCode: 5557, data });
  client.say({ code: 1005, body: { msgId: "failed:o1" } });
  await client.leave();
  const later = await connect(b, "231", 45, forms.v2);
  await call(caller, "im-router.sendToUser", { userId: "231", msgId: "failed:o2", bizCode: 5557, data });
  await eventually("the next one", () => later.business().length > 0);
  expect(later.business().map(({ msgId }) => msgId)).toEqual(["failed:o2"]);
});

test.each([
  ["v", { v: "3" }, "v must be 1 or 2"],
  ["v that is empty", { v: "" }, "v must be 1 or 2"],
  ["compress", { v: "2", compress: "br" }, "compress must be deflate-raw"],
  ["compress without version 2", { compress: "deflate-raw" }, "compress needs v=2"],
])("another value of %s closes with 4422 and says which are allowed", async (_what, query, reason) => {
  const client = await open(a, "241", 46, query);
  expect(await client.closing()).toEqual({ code: 4422, reason });
});

test("a client of compressed frames may not send binary ones itself", async () => {
  const client = await connect(a, "251", 47, forms.deflated);
  client.socket.send(Buffer.from('{"code":1004}'), { binary: true });
  expect((await client.closing()).code).toBe(4422);
});
