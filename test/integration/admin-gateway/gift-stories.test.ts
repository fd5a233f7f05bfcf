import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { connect, headers, type NatsConnection } from "nats";
import { fail, failureName } from "../../../broker/failure.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { gatherStory } from "../../../services/admin-gateway/story/gather.ts";
import type { Story } from "../../../services/admin-gateway/story/story.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import { imKeys } from "../../../services/im-keys.ts";
import imRouter from "../../../services/im-router/im-router.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { groupOf, signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

/** Stories of gifts, gathered by one node from the nodes of gift, wallet and im-router. */

jest.setTimeout(60_000);

const anchor = "9000000000000000078";
let users = 9_200_000_000_000_100_000n;
const newUser = () => String(++users);

let caller: ServiceBroker;
let router: ServiceBroker;
let books: ServiceBroker;
let nats: NatsConnection;
const redis = openRedis("test");
/** Payment has none of these orders. */
const payment = {
  name: "payment",
  actions: {
    orderStory() {
      throw fail("payOrderUnknown");
    },
  },
};

beforeAll(async () => {
  await redis.connect();
  nats = await connect(natsOptions("test"));
  router = await startNode("router", [imRouter]);
  books = await startNode("wallet", [wallet]);
  await startNode("gift-1", [gift]);
  caller = await startNode("caller", [payment]);
  await caller.waitForServices(["gift", "wallet", "im-router"]);
});
afterAll(async () => {
  redis.disconnect();
  await nats.close();
  await stopAll();
});

/** An accepted gift of one coin. */
function accepted(senderId: string, over: Partial<AcceptedGift> = {}): AcceptedGift {
  const asked = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1 };
  return {
    ...{ ...asked, orderId: randomUUID(), senderId, price: 1, sharePercent: 50, url: "x.svga" },
    ...{ contentHash: contentHashOf(asked), acceptedAt: new Date().toISOString(), ...over },
  };
}

const subjectOf = ({ senderId }: AcceptedGift) => `gift.send.${partitionOf(senderId)}`;
const send = (gifts: readonly AcceptedGift[]) => publish(subjectOf(gifts[0] as AcceptedGift), groupOf(gifts));
const story = (orderId: string, staff: "here" | "away" = "here"): Promise<Story> =>
  gatherStory(caller as never, orderId, Promise.resolve(staff === "here" ? { proposals: [], letters: [] } : undefined));
const shown = ({ steps }: Story) => steps.map(({ what, state }) => `${what} ${state}`);
const stepOf = ({ steps }: Story, what: string) => steps.find((step) => step.what === what);
/** The story once a step of it is as wanted, and no service is missing from it. */
const storyWhere = (orderId: string, what: string, state: string) =>
  eventually(`${what} of ${orderId} is ${state}`, async () => {
    const now = await story(orderId);
    return stepOf(now, what)?.state === state && now.incomplete.length === 0 ? now : undefined;
  });
/** The story once exactly these services are missing from it. */
const storyWithout = (orderId: string, wanted: Story["incomplete"], staff: "here" | "away" = "here") =>
  eventually(
    `the story of ${orderId} without ${wanted}`,
    async () => {
      const now = await story(orderId, staff);
      return now.incomplete.join() === wanted.join() ? now : undefined;
    },
    20_000,
  );
async function funded(coins: number): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}
const settledTale = ["accepted done", "charged done", "recorded done", "event done", "frame done"];

test("a gift that succeeded is followed from the queue to the frame, with the times of those who stored it", async () => {
  const user = await funded(100);
  const [one, other] = [accepted(user), accepted(user, { count: 3 })];
  await send([one, accepted(user), other]);
  await settledOrders([one.orderId, other.orderId]);
  const told = await storyWhere(other.orderId, "frame", "done");
  expect(shown(told)).toEqual(settledTale);
  expect(told).toMatchObject({ kind: "gift", userId: user, receiverId: anchor, roomId: 5, state: "succeeded" });
  expect(told).toMatchObject({ title: "爱心气泡-2 × 3", incomplete: [] });
  const [record] = await rows<{ send_time: Date; update_time: Date }>(
    "gift",
    "SELECT send_time, update_time FROM t_gift_record WHERE order_id = ?",
    [other.orderId],
  );
  expect(stepOf(told, "accepted")).toMatchObject({
    time: record?.send_time.toISOString(),
    data: { clock: "jetstream" },
  });
  expect(stepOf(told, "recorded")?.time).toBe(record?.update_time.toISOString());
  expect(stepOf(told, "charged")?.data).toMatchObject({ coins: 3 });

  // The event is the message of stream EVENTS that names the order.
  const published = stepOf(told, "event")?.data;
  const manager = await nats.jetstreamManager();
  const event = await manager.streams.getMessage(`${natsPrefix()}EVENTS`, { seq: Number(published?.sequence) });
  const said = [published?.name, JSON.stringify(event.json())];
  expect(said).toEqual(["gift.settled", expect.stringContaining(other.orderId)]);
  expect(stepOf(told, "event")?.time).toBe(event.time.toISOString());
});

test("the event of a gift is found among many that were published shortly before it", async () => {
  const user = await funded(10);
  const subject = `${natsPrefix()}event.gift.settled`;
  const other = JSON.stringify({ data: { gifts: [] } });
  const before = limits.lookup.eventsRead + 20;
  await Promise.all(Array.from({ length: before }, () => nats.jetstream().publish(subject, other)));
  const one = accepted(user);
  await send([one]);
  const told = await storyWhere(one.orderId, "frame", "done");
  expect(shown(told)).toEqual(settledTale);
});

test("a frame that the room's history has dropped is not kept, and neither is an event that the stream has dropped", async () => {
  const user = await funded(10);
  const one = accepted(user, { roomId: 6 });
  await send([one]);
  const kept = stepOf(await storyWhere(one.orderId, "frame", "done"), "frame");
  expect(kept).toMatchObject({ time: null, data: { seq: 1, epoch: expect.any(String) } });
  await redis.del(imKeys.roomLog(6));
  expect(stepOf(await story(one.orderId), "frame")).toMatchObject({ state: "notKept", time: null, data: {} });

  // As of a gift of months ago: what the stream has begins later.
  const database = new Database(databaseName("gift"));
  const longAgo = new Date(Date.now() - 90 * 24 * 3_600_000);
  await database.run("UPDATE t_gift_record SET update_time = ? WHERE order_id = ?", [longAgo, one.orderId]);
  await database.close();
  const manager = await nats.jetstreamManager();
  await manager.streams.purge(`${natsPrefix()}EVENTS`, { filter: `${natsPrefix()}event.gift.settled` });
  expect(stepOf(await story(one.orderId), "event")).toMatchObject({ state: "notKept", time: null });
});

test("a gift that failed for funds says why it was not charged, and that its sender was to be told", async () => {
  const user = await funded(1);
  const one = accepted(user, { price: 5 });
  await send([one]);
  const told = await storyWhere(one.orderId, "event", "done");
  expect(shown(told)).toEqual(["accepted done", "charged failed", "recorded done", "event done", "notice notKept"]);
  expect(stepOf(told, "charged")?.data).toMatchObject({ reason: "balanceShort" });
  expect(told.state).toBe("failed");
});

test("a gift that waits in the queue says in which stream and behind how many messages", async () => {
  const user = await funded(50);
  const [first, second] = [accepted(user), accepted(user)];
  const held = await holdAccounts([user]);
  try {
    await send([first]);
    await send([second]);
    const told = await eventually("both are in the queue", async () => {
      const now = await story(second.orderId).catch(() => undefined);
      return now?.steps[0]?.data.sequence ? now : undefined;
    });
    expect(told.state).toBe("waiting");
    expect(shown(told)).toEqual([
      "accepted done",
      "charged waiting",
      "recorded waiting",
      "event waiting",
      "frame waiting",
    ]);
    const [ahead, behind] = [await story(first.orderId), told].map((one) => stepOf(one, "accepted")?.data);
    expect(behind?.stream).toBe(`GIFTS-${partitionOf(user)}`);
    expect(Number(behind?.sequence) - Number(ahead?.sequence)).toBe(1);
  } finally {
    await held.release();
  }
  await storyWhere(second.orderId, "frame", "done");
});

test("a dead letter is found by its order, with its reason and the time of its acceptance; an unproven one is not believed", async () => {
  const user = newUser();
  const [dead, forged] = [accepted(user), accepted(user)];
  const storedAt = "2026-11-25T10:11:12.131Z";
  const letter = (one: AcceptedGift) => signedText(subjectOf(one), groupOf([{ storedAt, ...one }]));
  const head = headers();
  head.set("Dead-Reason", "the ledger refuses it");
  const stored = await nats.jetstream().publish(`${natsPrefix()}dead.gift-settler`, letter(dead), { headers: head });
  await nats.jetstream().publish(`${natsPrefix()}dead.unproven.gift-settler`, letter(forged), { headers: head });
  const told = await story(dead.orderId);
  expect(told).toMatchObject({ state: "deadLetter", userId: user, receiverId: anchor });
  expect(stepOf(told, "deadLetter")).toMatchObject({
    ...{ state: "failed", service: "gift" },
    data: { id: stored.seq, reason: "the ledger refuses it" },
  });
  expect(stepOf(told, "accepted")?.time).toBe(storedAt);
  await expect(story(forged.orderId)).rejects.toMatchObject({ type: "giftOrderUnknown" });
});

test("an order that no service has is unknown, and not certainly so while staff is away", async () => {
  await expect(story(randomUUID())).rejects.toMatchObject({ type: "giftOrderUnknown" });
  expect(await story(randomUUID(), "away").catch(failureName)).toBe("unavailable");
});

test("a service that is away is named; what it has is not shown as if it had not happened", async () => {
  const user = await funded(10);
  const one = accepted(user);
  await send([one]);
  await storyWhere(one.orderId, "frame", "done");
  await storyWithout(one.orderId, ["staff"], "away");

  await stopNode(router);
  const without = await storyWithout(one.orderId, ["im-router"]);
  expect(shown(without)).toEqual(settledTale.slice(0, 4));

  await stopNode(books);
  const bare = await storyWithout(one.orderId, ["wallet", "im-router"]);
  expect(shown(bare)).toEqual(["accepted done", "recorded done", "event done"]);
  router = await startNode("router-2", [imRouter]);
  books = await startNode("wallet-2", [wallet]);
  expect(shown(await storyWhere(one.orderId, "charged", "done"))).toEqual(
    expect.arrayContaining(settledTale.slice(0, 4)),
  );
});
