import type { Redis } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { fail, mayHaveHappened } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { bodyOf } from "../../../mixins/jetstream/signatures.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import type { AcceptedGift } from "../../../services/gift/accepted-gift.ts";
import { orderKey, recallAccepted, recallOrders } from "../../../services/gift/accepted-orders.ts";
import { Candidate } from "../../../services/gift/candidate.ts";
import { giftsOf } from "../../../services/gift/gift-group.ts";
import { NodeOrders } from "../../../services/gift/node-orders.ts";
import { publishGifts } from "../../../services/gift/publication.ts";
import { partsOf } from "../../../services/gift/queue.ts";
import { SilentPartitions } from "../../../services/gift/silent-partitions.ts";
import { silentLog } from "../../support/silent-log.ts";
import { unitSignatures } from "../../support/unit-signatures.ts";

const signatures = unitSignatures();
const terms = { price: 90, sharePercent: 50, url: "x.svga" };
/** What Redis has of a candidate whose gift was accepted. */
const accepted = ({ orderId, contentHash, request }: Candidate) => {
  const { userId: senderId, giftId, roomId, receiverId, type, count } = request;
  const content = { orderId, senderId, giftId, roomId, receiverId, type, count, contentHash };
  const gift: AcceptedGift = { ...content, ...terms, acceptedAt: new Date().toISOString() };
  return signatures.sign(orderKey(orderId), JSON.stringify(gift));
};
const candidate = (userId: number, over: object = {}) =>
  new Candidate({
    ...{ userId: String(userId), giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3, requestId: "click-0001" },
    ...over,
  });

/** The gift of the tests below, as others can write it: only the key of gift nodes makes it an accepted order. */
const unsigned = bodyOf(accepted(candidate(8)));
const foreign = unitSignatures().sign(orderKey(candidate(8).orderId), unsigned);
const otherOrder = accepted(candidate(16));

interface Message {
  subject: string;
  text: string;
  msgId: string;
}

/** What a publication does to the queue and to Redis; `over` replaces what the server or Redis answers. */
function world(over: { publish?: (message: Message) => Promise<unknown>; reserve?: (keys: string[]) => unknown } = {}) {
  const messages: Message[] = [];
  const commands: { name: string; keys: string[]; args: string[] }[] = [];
  const jetstream = {
    async publishText(subject: string, text: string, { msgId }: { msgId: string }) {
      messages.push({ subject, text, msgId });
      return over.publish?.({ subject, text, msgId });
    },
  };
  const redis = {
    async eval(script: string, count: number, ...rest: string[]) {
      const name = script.includes("EXISTS") ? "remember" : script.includes("DEL") ? "withdraw" : "reserve";
      const keys = rest.slice(0, count);
      commands.push({ name, keys, args: rest.slice(count) });
      if (name === "reserve") return over.reserve?.(keys) ?? keys.map(() => "");
      return keys.length;
    },
    sendAlways(_command: string, [script, count, ...rest]: [string, number, ...string[]]) {
      return redis.eval(script, count, ...rest);
    },
  };
  const service = {
    broker: {} as ServiceBroker,
    ...{ jetstream: jetstream as unknown as JetStreamState["jetstream"], redis: redis as unknown as Redis },
    signatures,
    ...{ logger: silentLog, orders: new NodeOrders(), silent: new SilentPartitions() },
  };
  const publish = (candidates: readonly Candidate[], redisAway = false) => {
    for (const one of candidates) if (one.repeatable) service.orders.begin(one);
    const about = { requestId: "r", redisAway };
    return publishGifts(
      service,
      candidates.map((one) => ({ candidate: one, terms })),
      about,
    );
  };
  const keysOf = (name: string) => commands.filter((command) => command.name === name).flatMap(({ keys }) => keys);
  return { messages, commands, keysOf, publish, service };
}

const answer = ({ answer: given }: Candidate) => {
  if (!given || "orderId" in given) return given && "accepted";
  const perhaps = mayHaveHappened({ type: given.failure, data: given.data });
  return perhaps ? `${given.failure}?` : given.failure;
};

test("the gifts of a partition are one message, in their order, and its id is of their orders and contents alone", async () => {
  const [first, second] = [world(), world()];
  const gifts = () => [candidate(8), candidate(16), candidate(9), candidate(24)];
  await first.publish(gifts());
  await second.publish(gifts());
  for (const { subject, text } of first.messages) expect(signatures.open(subject, text)).not.toHaveProperty("fault");
  const sendersOf = ({ text }: Message) => giftsOf(JSON.parse(text)).map((gift) => (gift as AcceptedGift).senderId);
  expect(first.messages.map(({ subject }) => subject)).toEqual(["gift.send.0", "gift.send.1"]);
  expect(first.messages.map(sendersOf)).toEqual([["8", "16", "24"], ["9"]]);
  const ids = ({ messages }: typeof first) => messages.map(({ msgId }) => msgId);
  expect(new Set(ids(first)).size).toBe(2);
  expect(ids(second)).toEqual(ids(first));
  const other = world();
  await other.publish([candidate(8), candidate(16, { count: 4 }), candidate(9), candidate(24)]);
  expect(ids(other)[0]).not.toBe(ids(first)[0]);
  expect(ids(other)[1]).toBe(ids(first)[1]);
});

test("a message that would exceed a list's bytes is cut; every gift is in one, in order", () => {
  const gifts = Array.from({ length: 400 }, (_, n) => {
    const gift = { senderId: "8", orderId: `o-${n}`, url: "影".repeat(600) } as AcceptedGift;
    return { gift, json: JSON.stringify(gift) };
  });
  const parts = partsOf(gifts);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.flatMap((part) => part.gifts)).toEqual(gifts);
  for (const part of parts)
    expect(part.gifts.reduce((sum, { json }) => sum + Buffer.byteLength(json) + 1, 1)).toBeLessThanOrEqual(
      limits.bus.listBytes,
    );
});

test("where one message is not acked or is refused, only its gifts are unavailable; the reservations of a refused one are removed", async () => {
  const { publish, keysOf, service } = world({
    publish: async ({ subject }) => {
      if (subject.endsWith(".1")) throw fail("unavailable", { mayHaveHappened: true });
      if (subject.endsWith(".2")) throw fail("unavailable", { mayHaveHappened: false });
    },
  });
  const gifts = [candidate(8), candidate(9), candidate(10), candidate(17), candidate(11, { requestId: undefined })];
  await publish(gifts);
  expect(gifts.map(answer)).toEqual(["accepted", "unavailable?", "unavailable", "unavailable?", "accepted"]);
  const keys = gifts.map(({ orderId }) => orderKey(orderId));
  expect(keysOf("reserve")).toEqual(keys.slice(0, 4));
  expect(keysOf("withdraw")).toEqual([keys[2]]);
  expect(keysOf("remember")).toEqual([keys[0], keys[4]]);
  expect(gifts.map(({ orderId }) => service.orders.outcome(orderId)?.accepted)).toEqual([
    ...[true, false, undefined, false],
    // It has no request id: no repeat can ask for it.
    undefined,
  ]);
  expect(gifts.filter(({ orderId }) => service.orders.publishing(orderId))).toEqual([]);
});

test("a refused repeat of a gift that may be in the queue may still be accepted, and keeps its reservation", async () => {
  let mayBeThere = true;
  const { publish, keysOf, service } = world({
    publish: () => Promise.reject(fail("unavailable", { mayHaveHappened: mayBeThere })),
  });
  await publish([candidate(8)]);
  mayBeThere = false;
  service.silent.has(0, Number.POSITIVE_INFINITY);
  const repeat = candidate(8);
  await publish([repeat]);
  expect(answer(repeat)).toBe("unavailable?");
  expect(keysOf("withdraw")).toEqual([]);
});

test("a gift whose content was reserved before may be in the queue: refused, it is not a certain no, and nothing is withdrawn", async () => {
  const { publish, keysOf, service } = world({
    publish: () => Promise.reject(fail("unavailable", { mayHaveHappened: false })),
    reserve: (keys) => keys.map(() => "*"),
  });
  const repeat = candidate(8);
  await publish([repeat]);
  expect(answer(repeat)).toBe("unavailable?");
  expect(service.orders.outcome(repeat.orderId)?.accepted).toBe(false);
  expect(keysOf("withdraw")).toEqual([]);
});

test("a reservation that was not answered is withdrawn where its gift is refused, since Redis may carry it out late", async () => {
  const { publish, keysOf } = world({
    publish: () => Promise.reject(fail("unavailable", { mayHaveHappened: false })),
    reserve: () => Promise.reject(fail("unavailable")),
  });
  const gift = candidate(8);
  await publish([gift]);
  expect(keysOf("withdraw")).toEqual([orderKey(gift.orderId)]);
});

test("an order that Redis has with this or other content is answered as that, and not published", async () => {
  const [same, other, held] = [candidate(8), candidate(16), candidate(24)];
  const { publish, messages } = world({
    reserve: () => [accepted(same), accepted(candidate(16, { count: 4 })), "reserved:other:owner", ""],
  });
  const own = candidate(32);
  await publish([same, other, held, own]);
  expect([same, other, held, own].map(answer)).toEqual([
    "accepted",
    "idempotencyConflict",
    // Another node may still accept the other content.
    "unavailable?",
    "accepted",
  ]);
  expect(giftsOf(JSON.parse(messages[0]?.text as string))).toMatchObject([{ orderId: own.orderId }]);
  expect(messages).toHaveLength(1);
});

test.each(["not JSON", "null", "5", "{}", '{"contentHash":7}', "", unsigned, foreign, otherOrder])(
  "an invalid value in Redis, %j, concerns its order alone",
  async (value) => {
    const [held, own] = [candidate(8), candidate(16)];
    const { publish, keysOf, messages } = world({ reserve: () => [value || "WRONGTYPE", ""] });
    await publish([held, own]);
    expect([held, own].map(answer)).toEqual(["unavailable?", "accepted"]);
    expect(giftsOf(JSON.parse(messages[0]?.text as string))).toMatchObject([{ orderId: own.orderId }]);
    expect([keysOf("withdraw"), keysOf("remember")]).toEqual([[], [orderKey(own.orderId)]]);
    const values = [value, accepted(own), null, "reserved:h:owner"];
    const redis = { mget: async () => values } as unknown as Redis;
    const found = await recallOrders(redis, [held.orderId, own.orderId, "c", "d"], signatures, silentLog);
    expect(found).toEqual({ accepted: new Map([[own.orderId, own.contentHash]]), reserved: [held.orderId, "d"] });
    const one = { get: async () => value } as unknown as Redis;
    expect(await recallAccepted(one, held.orderId, signatures, silentLog)).toBeUndefined();
  },
);

test("a gift whose order is reserved for other content is answered at once, and the group does not wait for it", async () => {
  const [held, own] = [candidate(8), candidate(16)];
  const { publish } = world({ reserve: () => ["reserved:other:owner", ""] });
  const timers = jest.spyOn(globalThis, "setTimeout");
  await publish([held, own]);
  expect([held, own].map(answer)).toEqual(["unavailable?", "accepted"]);
  expect(timers).not.toHaveBeenCalled();
  timers.mockRestore();
});

test("without Redis gifts are published all the same; a group waits only once for a Redis that hangs", async () => {
  const failing = world({ reserve: () => Promise.reject(fail("unavailable")) });
  const gift = candidate(8);
  await failing.publish([gift]);
  expect(answer(gift)).toBe("accepted");
  const away = world();
  const another = candidate(8);
  await away.publish([another], true);
  expect(answer(another)).toBe("accepted");
  expect(away.keysOf("reserve")).toEqual([]);
});

test("an unexpected fault leaves no gift without an answer, and no order marked as being published", async () => {
  const { publish, service } = world({ publish: () => Promise.reject(new TypeError("a bug")) });
  const gift = candidate(8);
  await publish([gift]);
  expect(answer(gift)).toBe("internal");
  expect(service.orders.publishing(gift.orderId)).toBeUndefined();
  const broken = world();
  broken.service.silent.start = () => {
    throw new TypeError("a bug");
  };
  const next = candidate(8);
  await broken.publish([next]);
  expect([answer(next), broken.service.orders.publishing(next.orderId)]).toEqual(["unavailable?", undefined]);
});

describe("a partition that does not ack", () => {
  const { publishTimeoutMs } = limits.jetstream;
  const { silentPartitionMs } = limits.gift;

  test("is silent while a publication waits for longer than its first try, and then until the pause is over", () => {
    const silent = new SilentPartitions();
    const passage = silent.start(3, 1_000);
    expect(silent.has(3, 1_000 + publishTimeoutMs - 1)).toBe(false);
    expect(silent.has(3, 1_000 + publishTimeoutMs)).toBe(true);
    expect(silent.has(4, 1_000 + publishTimeoutMs)).toBe(false);
    silent.end(passage, false, 6_000);
    expect(silent.has(3, 6_000 + silentPartitionMs - 1)).toBe(true);
    expect(silent.has(3, 6_000 + silentPartitionMs)).toBe(false);
  });

  test("is tried by one publication at a time after the pause", () => {
    const silent = new SilentPartitions();
    silent.end(silent.start(3, 0), false, 5_000);
    const afterwards = 5_000 + silentPartitionMs;
    expect(silent.has(3, afterwards)).toBe(false);
    const trial = silent.start(3, afterwards);
    expect(silent.has(3, afterwards + 1)).toBe(true);
    silent.end(trial, true, afterwards + 2);
    expect(silent.has(3, afterwards + 3)).toBe(false);
  });

  test("is not silent once a publication is answered", () => {
    const silent = new SilentPartitions();
    silent.end(silent.start(3, 0), false, 5_000);
    silent.end(silent.start(3, 5_001), true, 5_002);
    expect(silent.has(3, 5_003)).toBe(false);
  });
});
