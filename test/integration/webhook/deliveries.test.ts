import type { Service, ServiceBroker } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { Unreadable } from "../../../mixins/jetstream/unreadable.ts";
import type { Database, Transaction } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import { call, type DurableEventName, type ParamsOf } from "../../../services/contracts.ts";
import { removeOfMessages } from "../../../services/webhook/delivery-store.ts";
import type { Intake } from "../../../services/webhook/intake.ts";
import { lockStore, removeMessages } from "../../../services/webhook/message-store.ts";
import { OutcomeWriter } from "../../../services/webhook/outcome-writer.ts";
import { removableWebhooks } from "../../../services/webhook/webhook-store.ts";
import { rows } from "../../support/books.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import {
  type Answer,
  change,
  holdStore,
  isSigned,
  letTimePass,
  logged,
  logOf,
  Receiver,
  startWebhooks,
  World,
} from "./receivers.ts";

process.env.WEBHOOK_PRIVATE_ADDRESSES = "allow";
jest.setTimeout(60_000);

const world = new World();
let receiver: Receiver;
let caller: ServiceBroker;
let node: ServiceBroker;
let paths = 0;

beforeAll(async () => {
  receiver = await Receiver.open();
  caller = await startNode("neighbours", world.schemas());
  node = await startWebhooks("webhook-1", { waitingRows: 20 });
  await caller.waitForServices("webhook");
});
afterAll(async () => {
  await stopAll();
  await receiver.close();
});
afterEach(async () => {
  for (const { webhookId } of (await call(caller, "webhook.list", { limit: 100 })).list)
    await call(caller, "webhook.delete", { webhookId });
});

/** A subscription with a path of its own. */
async function subscribed(
  events: DurableEventName[],
  options: Partial<ParamsOf<"webhook.create">> = {},
): Promise<{ webhookId: string; secret: string; path: string }> {
  const path = `/hook-${++paths}`;
  const made = await call(caller, "webhook.create", { url: receiver.url(path), events, ...options });
  return { ...made, path };
}

const shownOf = async (webhookId: string) =>
  (await call(caller, "webhook.list", { limit: 100 })).list.find((one) => one.webhookId === webhookId);
const failureOf = (work: Promise<unknown>) => work.then(() => "none", failureName);
const closed = (roomId: number, anchorId = "12") =>
  world.publish("room.closed", { roomId, anchorId, time: "2026-11-26T12:00:00.000Z" });

test("an event is posted once, signed, with the platform's ids beside ours, and logged", async () => {
  world.externalIds.set("12", "anna 😀");
  world.externalRoomIds.set(1, "room-A");
  const { webhookId, secret, path } = await subscribed(["room.closed"]);
  const key = await closed(1);
  const [log] = await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded");
  const [received] = receiver.at(path);
  expect(received?.body).toEqual({
    id: received?.id,
    type: "room.closed",
    timestamp: expect.any(String),
    data: {
      ...{ roomId: 1, externalRoomId: "room-A", anchorId: "12", anchorExternalId: "anna 😀" },
      time: "2026-11-26T12:00:00.000Z",
    },
  });
  expect([isSigned(received as never, secret), isSigned(received as never, `whsec_${btoa("another")}`)]).toEqual([
    ...[true, false],
  ]);
  expect(log).toMatchObject({ messageId: received?.id, event: "room.closed", tries: 1, httpStatus: 200 });
  expect(log).toMatchObject({ answer: "answered 200", failure: null, nextTime: null });
  // The event again, as another message of the stream, and an event that nobody wants.
  await world.publish("room.closed", { roomId: 1, anchorId: "12", time: "2026-11-26T12:00:00.000Z" }, key);
  await world.publish("account.frozen", { userId: "12", reason: "r", time: "t" });
  await closed(2);
  await logged(caller, webhookId, "two successes", (list) => list.filter((d) => d.status === "succeeded").length === 2);
  expect(receiver.at(path).map(({ body }) => body.data.roomId)).toEqual([1, 2]);
  expect(await rows("webhook", "SELECT id FROM t_webhook_message WHERE event = 'account.frozen'")).toEqual([]);
});

test("gifts are posted at most 100 a call, and one body is stored for all subscriptions", async () => {
  const one = await subscribed(["gift.settled"]);
  const other = await subscribed(["gift.settled", "room.closed"]);
  const gifts = Array.from({ length: 250 }, () => world.gift());
  const key = await world.publish("gift.settled", { gifts });
  await world.publish("gift.settled", { gifts }, key);
  for (const { webhookId, path } of [one, other]) {
    await logged(caller, webhookId, "all", (list) => list.filter((d) => d.status === "succeeded").length === 3);
    const posted = receiver.at(path).map(({ body }) => body.data.gifts as { orderId: string; senderId: string }[]);
    expect(posted.map(({ length }) => length).sort()).toEqual([100, 100, 50]);
    expect(new Set(posted.flat().map(({ orderId }) => orderId)).size).toBe(250);
  }
  expect(await rows("webhook", "SELECT id FROM t_webhook_message WHERE event = 'gift.settled'")).toHaveLength(3);
});

test("a failed call is made again with the same id after growing pauses, then has failed, and a replay makes it once more", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  receiver.answers.set(path, 500);
  await closed(3);
  const most = limits.webhook.pausesMs.length + 1;
  for (let tries = 1; tries <= most; tries++) {
    const [log] = await logged(caller, webhookId, `try ${tries}`, ([one]) => one?.tries === tries);
    if (tries === most) expect(log).toMatchObject({ status: "failed", httpStatus: 500, nextTime: null });
    else {
      expect(log).toMatchObject({ status: "waiting", httpStatus: 500, answer: "answered 500" });
      const pauseMs = Date.parse(log?.nextTime as string) - Date.parse(log?.lastTime as string);
      const wantedMs = limits.webhook.pausesMs[tries - 1] as number;
      expect(Math.abs(pauseMs - wantedMs)).toBeLessThanOrEqual(wantedMs / 10);
    }
    await letTimePass();
  }
  expect(receiver.at(path)).toHaveLength(most);
  receiver.answers.set(path, 204);
  const [failed] = await logOf(caller, webhookId);
  const deliveryId = failed?.deliveryId as string;
  expect(await call(caller, "webhook.replay", { webhookId, deliveryId })).toEqual({ replayed: 1, nextFrom: null });
  await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded" && one.tries === 1);
  const from = new Date(Date.now() - 3_600_000).toISOString();
  const span = { webhookId, from, to: new Date(Date.now() + 3_600_000).toISOString() };
  expect(await call(caller, "webhook.replay", span)).toEqual({ replayed: 1, nextFrom: null });
  await eventually("the third success", () => receiver.at(path).length === most + 2);
  expect(new Set(receiver.at(path).map(({ id }) => id)).size).toBe(1);
  expect(await failureOf(call(caller, "webhook.replay", { webhookId, deliveryId: "999999" }))).toBe("deliveryUnknown");
  for (const wrong of [{ deliveryId, from }, { deliveryId, ...span }, { from }, {}, { from: span.to, to: from }])
    expect(await failureOf(call(caller, "webhook.replay", { webhookId, ...wrong }))).toBe("invalidParam");
});

test("redirects, time-outs and closed connections are failures, and Retry-After is kept", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  const target = `/hook-${++paths}`;
  const seen: Record<string, unknown>[] = [];
  const answers: Answer[] = [
    (_received, response) => response.writeHead(302, { location: receiver.url(target) }).end(),
    "hang",
    (_received, response) => response.socket?.destroy(),
    (_received, response) => response.writeHead(503, { "retry-after": "60" }).end("a\u0000b\nc"),
  ];
  await closed(4);
  for (const [at, answer] of answers.entries()) {
    receiver.answers.set(path, answer);
    await letTimePass();
    const [log] = await logged(caller, webhookId, `try ${at + 1}`, ([one]) => one?.tries === at + 1);
    seen.push({ httpStatus: log?.httpStatus, failure: log?.failure });
  }
  expect(seen).toEqual([
    { httpStatus: 302, failure: null },
    { httpStatus: null, failure: "timedOut" },
    { httpStatus: null, failure: "connectionFailed" },
    { httpStatus: 503, failure: null },
  ]);
  expect(receiver.at(target)).toEqual([]);
  const [log] = await logOf(caller, webhookId);
  expect(log?.answer).toBe("a b c");
  // The fourth pause is two hours: a shorter Retry-After changes nothing.
  expect(Date.parse(log?.nextTime as string) - Date.parse(log?.lastTime as string)).toBeGreaterThan(6_000_000);
  await change("UPDATE t_webhook_delivery SET tries = 0");
  receiver.answers.set(path, answers[3] as Answer);
  await letTimePass();
  const [again] = await logged(caller, webhookId, "another try", ([one]) => one?.tries === 1);
  expect(Date.parse(again?.nextTime as string) - Date.parse(again?.lastTime as string)).toBe(60_000);
});

test("after 410 a subscription is off, another one hears of it, and its deliveries go on once it is on again", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  const listener = await subscribed(["webhook.disabled", "room.closed"]);
  receiver.answers.set(path, 410);
  await closed(5);
  const heard = (type: string) => receiver.at(listener.path).filter(({ body }) => body.type === type);
  const [told] = await eventually("the event", () => {
    const list = heard("webhook.disabled");
    return list.length > 0 ? list : undefined;
  });
  expect(told?.body).toMatchObject({ data: { webhookId, reason: "gone" } });
  expect(await shownOf(webhookId)).toMatchObject({ enabled: false, disabledReason: "gone" });
  await closed(6);
  // Which subscriptions are on is read when the event is taken in.
  await eventually("the event has been taken in", () =>
    heard("room.closed").some(({ body }) => body.data.roomId === 6),
  );
  await letTimePass();
  receiver.answers.delete(path);
  expect(await call(caller, "webhook.update", { webhookId, enabled: true })).toMatchObject({
    ...{ enabled: true, disabledReason: null, failingSince: null },
  });
  await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded");
  // What came in while it was off is not posted.
  expect(receiver.at(path).map(({ body }) => body.data.roomId)).toEqual([5, 5]);
});

test("a subscription whose calls have failed for five days is switched off", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  receiver.answers.set(path, 500);
  await closed(7);
  await logged(caller, webhookId, "a failure", ([one]) => one?.tries === 1);
  expect(await shownOf(webhookId)).toMatchObject({ enabled: true, failingSince: expect.any(String) });
  await change("UPDATE t_webhook SET failing_since = UTC_TIMESTAMP(3) - INTERVAL 119 HOUR WHERE id = ?", [webhookId]);
  await letTimePass();
  await logged(caller, webhookId, "another failure", ([one]) => one?.tries === 2);
  expect(await shownOf(webhookId)).toMatchObject({ enabled: true });
  await change("UPDATE t_webhook SET failing_since = UTC_TIMESTAMP(3) - INTERVAL 121 HOUR WHERE id = ?", [webhookId]);
  await letTimePass();
  await eventually("it is off", async () => (await shownOf(webhookId))?.disabledReason === "failing");
});

test.each(["room", "user"] as const)(
  "ordered by %s: each one's calls are in the order of the events, and one that fails holds up itself alone",
  async (orderBy) => {
    const { webhookId, path } = await subscribed(["room.closed", "gift.settled"], { orderBy });
    const of = (key: number) => (orderBy === "room" ? { roomId: key } : { roomId: 1, senderId: String(key) });
    const keyOf = ({ data }: { data: Record<string, unknown> }) => {
      const [gift] = (data.gifts ?? []) as { roomId: number; senderId: string }[];
      return Number(orderBy === "room" ? (gift?.roomId ?? data.roomId) : (gift?.senderId ?? data.anchorId));
    };
    receiver.answers.set(path, (received, response) => {
      response.writeHead(keyOf(received.body) === 101 ? 500 : 200).end();
    });
    for (let n = 0; n < 4; n++)
      await world.publish("gift.settled", { gifts: [101, 102, 103].map((key) => world.gift(of(key))) });
    await closed(101, "101");
    await closed(102, "102");
    const ended = (list: { status: string }[]) => list.filter(({ status }) => status === "succeeded").length;
    await logged(caller, webhookId, "all of the others", (list) => ended(list) === 9);
    // One delivery alone, however often it was tried.
    const held = receiver.at(path).filter(({ body }) => keyOf(body) === 101);
    expect(new Set(held.map(({ id }) => id)).size).toBe(1);
    receiver.answers.delete(path);
    await letTimePass();
    await logged(caller, webhookId, "all", (list) => ended(list) === 14);
    const numbers = (key: number) =>
      receiver
        .at(path)
        .filter(({ body }) => keyOf(body) === key)
        .map(({ body }) => Number((body.data.gifts as { recordId: string }[] | undefined)?.[0]?.recordId ?? 1e9));
    for (const key of [101, 102, 103]) expect(numbers(key)).toEqual(numbers(key).toSorted((a, b) => a - b));
  },
);

test("when the answer of a commit is lost the outcome is written again, and one delivery of its room is due, not two", async () => {
  const { webhookId } = await subscribed(["room.closed"], { orderBy: "room" });
  // No node makes its calls.
  await call(caller, "webhook.update", { webhookId, enabled: false });
  await change(
    `INSERT INTO t_webhook_delivery (webhook_id, message_id, order_key, state, tries, next_time, create_time)
     VALUES ${[1, 0, 0].map((state, n) => `(?, ${n}, 'r1', ${state}, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`).join(",")}`,
    [webhookId, webhookId, webhookId],
  );
  const deliveries = () =>
    rows<{ id: string; state: number }>(
      "webhook",
      "SELECT id, state FROM t_webhook_delivery WHERE webhook_id = ? ORDER BY id",
      [webhookId],
    );
  await change(
    "UPDATE t_webhook_lease SET holder = 'writer', until_time = UTC_TIMESTAMP(3) + INTERVAL 60 SECOND WHERE webhook_id = ?",
    [webhookId],
  );
  const {
    mysql,
    outbox,
    logger: log,
  } = node.getLocalService("webhook") as unknown as Service & MysqlState & OutboxState;
  const promoted: string[] = [];
  let commits = 0;
  const losing = {
    async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      const result = await mysql.transaction(work);
      if (++commits === 1) throw fail("unavailable");
      return result;
    },
  };
  const writer = new OutcomeWriter({
    ...{ mysql: losing as unknown as Database, outbox, log, holder: "writer", failingMs: 1_000, disabled: () => {} },
    promoted: (deliveries) => promoted.push(...deliveries.map(({ id }) => id)),
  });
  const ids = (await deliveries()).map(({ id }) => String(id));
  const succeeded = (id = "") =>
    writer.write({
      ...{ id, webhookId, orderKey: "r1", state: "succeeded", tries: 1, pauseMs: 0, isGone: false },
      ...{ durationMs: 1, httpStatus: 200, failure: null, answer: "" },
    });
  await succeeded(ids[0]);
  expect(commits).toBe(2);
  expect((await deliveries()).map(({ state }) => Number(state))).toEqual([2, 1, 0]);
  promoted.length = 0;
  await succeeded(ids[1]);
  expect((await deliveries()).map(({ state }) => Number(state))).toEqual([2, 2, 1]);
  expect(promoted).toEqual(ids.slice(2));
});

test("secrets are encrypted in the database, the old one signs beside a new one, and repeats of a write answer the same", async () => {
  const writeId = crypto.randomUUID();
  const first = await subscribed(["room.closed"], { writeId });
  const { webhookId, secret, path } = first;
  const repeat = { url: receiver.url(path), events: ["room.closed", "room.closed"], writeId } as const;
  const again = await call(caller, "webhook.create", { ...repeat, events: [...repeat.events] });
  expect(again).toEqual({ webhookId, secret });
  for (const other of [{ url: "https://x.example/" }, { events: ["room.opened"] }, { description: "x" }] as const) {
    const params = { ...repeat, ...other } as unknown as ParamsOf<"webhook.create">;
    expect(await failureOf(call(caller, "webhook.create", params))).toBe("idempotencyConflict");
  }
  const rotation = { webhookId, writeId: crypto.randomUUID() };
  const rotated = await call(caller, "webhook.rotate", rotation);
  expect(await call(caller, "webhook.rotate", rotation)).toEqual(rotated);
  const [row] = await rows<{ all: string }>(
    "webhook",
    "SELECT CONCAT(secret, old_secret) AS `all` FROM t_webhook WHERE id = ?",
    [webhookId],
  );
  for (const one of [secret, rotated.secret]) expect(row?.all).not.toContain(one.slice(6));
  await eventually("both sign", async () => {
    const before = receiver.at(path).length;
    await closed(8);
    const received = await eventually("a call", () => receiver.at(path)[before]);
    return [secret, rotated.secret].every((one) => isSigned(received, one));
  });
  await change("UPDATE t_webhook SET old_secret_until = UTC_TIMESTAMP(3)");
  await eventually("the old one signs no more", async () => {
    const before = receiver.at(path).length;
    await closed(9);
    const received = await eventually("a call", () => receiver.at(path)[before]);
    return isSigned(received, rotated.secret) && !isSigned(received, secret);
  });
});

test("while external ids cannot be looked up events wait, and are posted with them afterwards", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  world.externalIds.set("77", "later");
  world.isUserAway = true;
  await closed(10, "77");
  await eventually("the ids were asked for twice", () => world.refusals >= 2);
  expect(await logOf(caller, webhookId)).toEqual([]);
  world.isUserAway = false;
  await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded");
  expect(receiver.at(path)[0]?.body.data).toMatchObject({ anchorId: "77", anchorExternalId: "later" });
});

test("while the last call has failed one call is under way at a time; four until the first success, then many", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  let underWay = 0;
  const most: number[] = [];
  let status = 500;
  receiver.answers.set(path, (_received, response) => {
    most.push(++underWay);
    setTimeout(() => {
      underWay--;
      response.writeHead(status).end();
    }, 100);
  });
  for (let n = 0; n < 12; n++) await closed(100 + n);
  await logged(caller, webhookId, "all tried", (list) => list.length === 12 && list.every(({ tries }) => tries >= 1));
  // The first four may begin before the first one has failed.
  expect(Math.max(...most.slice(0, 4))).toBeLessThanOrEqual(4);
  expect(most.slice(4)).toEqual(most.slice(4).map(() => 1));
  status = 200;
  most.length = 0;
  await letTimePass();
  await logged(caller, webhookId, "all succeeded", (list) => list.every((d) => d.status === "succeeded"));
  expect(Math.max(...most)).toBeGreaterThan(4);
});

test("gifts that the books tell again are posted once, however often they are told", async () => {
  const { webhookId, path } = await subscribed(["gift.settled"]);
  const { intake } = node.getLocalService("webhook") as unknown as { intake: Intake };
  const gifts = Array.from({ length: 120 }, () => world.gift());
  for (let n = 0; n < 2; n++) await intake.takeSettled(gifts);
  await logged(caller, webhookId, "both", (list) => list.length === 2 && list.every((d) => d.status === "succeeded"));
  const posted = receiver.at(path).flatMap(({ body }) => body.data.gifts as { orderId: string }[]);
  expect(posted.map(({ orderId }) => orderId).sort()).toEqual(gifts.map(({ orderId }) => orderId).sort());
});

test("an event that is no event of its name, or none at all, is unreadable: then it is tried once alone", async () => {
  await subscribed(["room.closed"]);
  const { intake } = node.getLocalService("webhook") as unknown as { intake: Intake };
  const event = { id: "e", time: "t", data: { roomId: "x" } };
  for (const text of ["{", "null", JSON.stringify(event)])
    await expect(intake.take([{ name: "room.closed", bytes: Buffer.from(text) }])).rejects.toThrow(Unreadable);
  // Nobody wants it, so nobody reads it.
  await intake.take([{ name: "room.opened", bytes: Buffer.from("{") }]);
});

test("a node that has lost its lease while it made a call writes nothing of it, and the call is made again with the same id", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  const { promise: called, resolve } = Promise.withResolvers<() => void>();
  receiver.answers.set(path, (_received, response) => resolve(() => response.writeHead(200).end()));
  await closed(120);
  const answer = await called;
  await change(
    "UPDATE t_webhook_lease SET holder = 'other', until_time = UTC_TIMESTAMP(3) + INTERVAL 2 SECOND WHERE webhook_id = ?",
    [webhookId],
  );
  receiver.answers.delete(path);
  answer();
  await eventually("it is made again", () => receiver.at(path).length === 2);
  expect(new Set(receiver.at(path).map(({ id }) => id)).size).toBe(1);
  await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded" && one.tries === 1);
});

test("beyond the bound of waiting deliveries new ones are dropped, and the list says so", async () => {
  const { webhookId, path } = await subscribed(["room.closed"]);
  receiver.answers.set(path, 500);
  for (let n = 0; n < 20; n++) await closed(20 + n);
  await eventually("they are counted", async () => (await shownOf(webhookId))?.waiting === 20);
  await closed(50);
  await eventually("it was dropped", async () => (await shownOf(webhookId))?.dropped === 1);
  expect((await shownOf(webhookId))?.droppedTime).toEqual(expect.any(String));
});

test("what is deleted or older than a week is removed, and the bytes that are stored are known", async () => {
  const { webhookId } = await subscribed(["room.closed"]);
  await closed(60);
  await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded");
  await call(caller, "webhook.delete", { webhookId });
  expect(await failureOf(call(caller, "webhook.deliveries", { webhookId, limit: 1 }))).toBe("webhookUnknown");
  const left = () => rows("webhook", "SELECT id FROM t_webhook_delivery WHERE webhook_id = ?", [webhookId]);
  await eventually("its deliveries are gone", async () => (await left()).length === 0);
  await change("UPDATE t_webhook_message SET create_time = create_time - INTERVAL 8 DAY");
  await eventually(
    "the messages are gone",
    async () => (await rows("webhook", "SELECT id FROM t_webhook_message")).length === 0,
  );
  expect(await rows("webhook", "SELECT bytes FROM t_webhook_store")).toEqual([{ bytes: "0" }]);
});

/** A message without bytes, and its deliveries for subscriptions that there are not. */
async function addOld(messageId: number, states: readonly number[]): Promise<void> {
  await change(
    "INSERT INTO t_webhook_delivery (webhook_id, message_id, order_key, state, tries, next_time, create_time) VALUES ?",
    [states.map((state, n) => [1_000_000 + n, messageId, "", state, 0, "2026-01-01", "2026-01-01"])],
  );
  await change(
    `INSERT INTO t_webhook_message (id, message_id, event, body, bytes, create_time)
     VALUES (?, ?, 'room.closed', '{}', 0, UTC_TIMESTAMP(3) - INTERVAL 8 DAY)`,
    [messageId, `msg_${messageId}`],
  );
}
const countOf = async (table: "t_webhook_message" | "t_webhook_delivery", column: string, id: number) =>
  (await rows("webhook", `SELECT id FROM ${table} WHERE ${column} = ?`, [id])).length;

test("the many deliveries of old messages are removed in steps, without the lock that the intake waits for", async () => {
  const free = await holdStore();
  try {
    await addOld(9_000_001, Array(limits.webhook.removedRows + 1).fill(2));
    await eventually("they are gone", async () => (await countOf("t_webhook_delivery", "message_id", 9_000_001)) === 0);
    expect(await countOf("t_webhook_message", "id", 9_000_001)).toBe(1);
  } finally {
    await free();
  }
  await eventually("it is gone", async () => (await countOf("t_webhook_message", "id", 9_000_001)) === 0);
});

test("a message of which a delivery was replayed since it was picked stays, and what is removed and waits is counted", async () => {
  const { mysql } = node.getLocalService("webhook") as unknown as MysqlState;
  await mysql.transaction(async (tx) => {
    const now = "UTC_TIMESTAMP(3)";
    await tx.run(
      `INSERT INTO t_webhook_message (id, message_id, event, body, bytes, create_time) VALUES (9000002, 'm', 'e', '', 0, ${now})`,
    );
    for (const [webhookId, state] of [
      [1_000_001, 1],
      [1_000_002, 2],
      [1_000_003, 3],
    ])
      await tx.run(
        `INSERT INTO t_webhook_delivery (webhook_id, message_id, order_key, state, tries, next_time, create_time)
         VALUES (?, 9000002, '', ?, 0, ${now}, ${now})`,
        [webhookId, state],
      );
    await lockStore(tx);
    const ended = await removeOfMessages(tx, ["9000002"], ["succeeded", "failed"]);
    expect(ended).toEqual({ removed: 2, dropped: new Map() });
    expect(await removeMessages(tx, ["9000002"])).toBe(0);
    const rest = await removeOfMessages(tx, ["9000002"], ["queued", "due", "succeeded", "failed"]);
    expect(rest).toEqual({ removed: 1, dropped: new Map([["1000001", 1]]) });
    expect(await removeMessages(tx, ["9000002"])).toBe(1);
  });
});

test("a deleted subscription costs the maintenance nothing once its deliveries are gone, until it goes itself", async () => {
  const { mysql } = node.getLocalService("webhook") as unknown as MysqlState;
  const { webhookId } = await subscribed(["room.closed"]);
  await call(caller, "webhook.delete", { webhookId });
  await eventually("its deliveries are gone", async () => (await removableWebhooks(mysql)).length === 0);
  const there = () => rows("webhook", "SELECT id FROM t_webhook WHERE id = ?", [webhookId]);
  expect(await there()).toHaveLength(1);
  await change("UPDATE t_webhook SET deleted_time = deleted_time - INTERVAL 8 DAY WHERE id = ?", [webhookId]);
  await eventually("it is gone", async () => (await there()).length === 0);
  expect(await rows("webhook", "SELECT webhook_id FROM t_webhook_lease WHERE webhook_id = ?", [webhookId])).toEqual([]);
});

test("only public events may be subscribed to, and only http addresses without a password", async () => {
  const make = (params: Record<string, unknown>) =>
    failureOf(
      call(caller, "webhook.create", { url: "https://x.example/", events: ["room.closed"], ...params } as never),
    );
  expect(await make({ events: ["books.sealed"] })).toBe("invalidParam");
  expect(await make({ events: ["no.such"] })).toBe("invalidParam");
  expect(await make({ url: "ftp://x.example/" })).toBe("invalidParam");
  expect(await make({ url: "https://u:p@x.example/" })).toBe("invalidParam");
  expect(await make({})).toBe("none");
});
