import { fail, mayHaveHappened } from "../../../broker/failure.ts";
import type { FailureName } from "../../../config/errors.ts";
import { type AcceptancePorts, accept } from "../../../services/gift/acceptance.ts";
import type { Found } from "../../../services/gift/acceptance-checks.ts";
import { contentHashOf } from "../../../services/gift/accepted-gift.ts";
import type { GiftRequest, PassedGift } from "../../../services/gift/candidate.ts";
import type { GiftAnswer } from "../../../services/gift/gift.contract.ts";
import { NodeOrders } from "../../../services/gift/node-orders.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import type { RoomReceivers } from "../../../services/living-room/living-room.contract.ts";

const request: GiftRequest = {
  userId: "11",
  giftId: 22,
  roomId: 5,
  receiverId: "77",
  type: 0,
  count: 3,
  requestId: "click-0001",
};
const { requestId: _none, ...once } = request;
const orderId = orderIdOf("11", "click-0001");
const giftOnSale = {
  ...{ giftId: 22, price: 90, giftName: "x", status: 1, coverImgUrl: "", svgaUrl: "x.svga" },
  ...{ createTime: "", updateTime: "" },
};

/** The same answer for every key. */
const all =
  <Value>(value: Value) =>
  async <Key>(keys: ReadonlySet<Key>): Promise<Map<Key, Found<Value>>> =>
    new Map([...keys].map((key) => [key, { value }]));
const failing =
  (error: unknown) =>
  async <Key>(keys: ReadonlySet<Key>) =>
    new Map([...keys].map((key): [Key, Found<never>] => [key, { error }]));
const funds =
  (value: "enough" | "short" | "unusable"): AcceptancePorts["funds"] =>
  async (gifts) =>
    gifts.map(() => ({ value }));

const room = (anchorId: string, guestId?: string): RoomReceivers => ({
  roomId: 5,
  anchorId,
  ...(guestId && { guestId }),
});

/** How a publication ends, for a gift. */
type End = (gift: PassedGift) => void;

const accepts: End = ({ candidate }) => {
  candidate.answerAs(candidate.contentHash);
  candidate.outcome = { contentHash: candidate.contentHash, accepted: true };
};
const loses: End = ({ candidate }) => {
  candidate.unavailable("no ack", true);
  candidate.outcome = { contentHash: candidate.contentHash, accepted: false };
};
const isRefused: End = ({ candidate }) => candidate.unavailable("the stream is full", false);

function world(over: Partial<AcceptancePorts> = {}, end: End = accepts) {
  const queued: PassedGift[] = [];
  /** Set, the publications wait for it. */
  const gate = { open: Promise.resolve() };
  const ports: AcceptancePorts = {
    orders: new NodeOrders(),
    knownOrders: async () => new Map(),
    isReserved: () => false,
    gifts: all(giftOnSale),
    rooms: all(room("77")),
    shares: all(50),
    receivers: all(true),
    funds: funds("enough"),
    mayGive: () => true,
    uncount: () => {},
    isStale: () => false,
    isSilent: () => false,
    async publish(gifts) {
      queued.push(...gifts);
      await gate.open;
      for (const gift of gifts) end(gift);
      for (const { candidate } of gifts) if (candidate.repeatable) ports.orders.end(candidate);
    },
    ...over,
  };
  const one = async (asked: GiftRequest): Promise<GiftAnswer> => (await accept([asked], ports))[0] as GiftAnswer;
  return { ports, queued, gate, one };
}

const refused = (failure: FailureName) => ({ failure });
const perhaps = (answer: GiftAnswer | undefined) =>
  "failure" in (answer ?? {}) && mayHaveHappened({ type: (answer as { failure: string }).failure, ...answer });
const inNextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("accepting a gift", () => {
  test("puts it into the queue with the price, share and effect at that time", async () => {
    const { one, queued } = world({ shares: all(60) });
    expect(await one(request)).toEqual({ orderId });
    expect(queued).toMatchObject([{ candidate: { orderId }, terms: { price: 90, sharePercent: 60, url: "x.svga" } }]);
  });

  test("of a banned sender is refused with banned, alone of its group; a repeat of an accepted one gets its order", async () => {
    const { ports, one, queued } = world();
    const answers = await accept(
      [
        { ...once, isBanned: true },
        { ...once, userId: "12" },
      ],
      ports,
    );
    expect(answers).toEqual([refused("banned"), { orderId: expect.any(String) }]);
    expect(await one(request)).toEqual({ orderId });
    expect(await one({ ...request, isBanned: true })).toEqual({ orderId });
    expect(queued).toHaveLength(2);
    const elsewhere = world({ knownOrders: async () => new Map([[orderId, contentHashOf(request)]]) });
    expect(await elsewhere.one({ ...request, isBanned: true })).toEqual({ orderId });
    expect(elsewhere.queued).toEqual([]);
  });

  test("is not done where the share cannot be looked up", async () => {
    const { one, queued } = world({ shares: failing(fail("unavailable")) });
    expect(await one(request)).toMatchObject({ failure: "unavailable" });
    expect(queued).toEqual([]);
  });

  test("without a request id every gift is an order of its own, also in one group", async () => {
    const { ports, queued } = world();
    await accept([once, once], ports);
    expect(new Set(queued.map(({ candidate }) => candidate.orderId)).size).toBe(2);
  });

  test("without a request id the order is the caller's own; with one it is never another than that one's", async () => {
    const { one } = world();
    const own = "3f0e1a52-6f0c-4b52-9d5e-0d4f5a2f8c11";
    expect(await one({ ...once, orderId: own })).toEqual({ orderId: own });
    expect(await one({ ...request, orderId: own })).toEqual({ orderId });
  });

  const refusals: [string, Partial<AcceptancePorts>, FailureName][] = [
    ["that does not exist", { gifts: all(undefined) }, "giftUnknown"],
    ["not on sale", { gifts: all({ ...giftOnSale, status: 0 }) }, "giftUnknown"],
    ["in a room that is not live", { rooms: all(undefined) }, "roomNotLive"],
    ["to somebody who is not the anchor", { rooms: all(room("78")) }, "roomNotLive"],
    ["to somebody who is neither the anchor nor the guest", { rooms: all(room("78", "79")) }, "roomNotLive"],
    ["that the balance does not pay for", { funds: funds("short") }, "balanceShort"],
    ["from a frozen account", { funds: funds("unusable") }, "accountUnusable"],
    ["to a frozen account", { receivers: all(false) }, "accountUnusable"],
    [
      "to a frozen account, which could not be paid either",
      { receivers: all(false), funds: funds("short") },
      "accountUnusable",
    ],
  ];

  test.each(refusals)("a gift %s is refused and never queued", async (_what, over, why) => {
    const { one, queued } = world(over);
    expect(await one(request)).toEqual(refused(why));
    expect(await one(once)).toEqual(refused(why));
    expect(queued).toEqual([]);
  });

  test("the guest of a room receives gifts beside its anchor, and not from herself", async () => {
    const { one, queued } = world({ rooms: all(room("77", "78")) });
    expect(await one({ ...request, receiverId: "78" })).toEqual({ orderId: expect.any(String) });
    expect(await one({ ...once, receiverId: "77" })).toEqual({ orderId: expect.any(String) });
    expect(await one({ ...once, userId: "78", receiverId: "78" })).toEqual(refused("giftToSelf"));
    expect(queued).toHaveLength(2);
  });

  test("a gift to oneself is refused and never queued, by the anchor of the room too", async () => {
    const { one, queued } = world({ rooms: all(room("11")) });
    expect(await one({ ...request, receiverId: "11" })).toEqual(refused("giftToSelf"));
    expect(await one({ ...once, receiverId: "11" })).toEqual(refused("giftToSelf"));
    expect(queued).toEqual([]);
  });

  /** The result of looking up the order: unknown at first, and accepted by another request before the next lookup. */
  const knownAtSecondLook = (hash: string) =>
    jest
      .fn<Promise<Map<string, string>>, []>()
      .mockResolvedValueOnce(new Map())
      .mockResolvedValueOnce(new Map([[orderId, hash]]));

  test.each(refusals)(
    "a gift %s whose order another request got accepted meanwhile is answered as that one, or as a conflict with other content",
    async (_what, over) => {
      const twin = world({ ...over, knownOrders: knownAtSecondLook(contentHashOf(request)) });
      expect(await twin.one(request)).toEqual({ orderId });
      const other = world({ ...over, knownOrders: knownAtSecondLook("other") });
      expect(await other.one(request)).toEqual(refused("idempotencyConflict"));
      expect([...twin.queued, ...other.queued]).toEqual([]);
    },
  );

  const booksAway = () => Promise.reject(fail("unavailable"));

  test.each<[string, boolean, Partial<AcceptancePorts>]>([
    ["the first look for the order", true, { knownOrders: booksAway }],
    [
      "the look before a refusal",
      true,
      { knownOrders: jest.fn(booksAway).mockResolvedValueOnce(new Map() as never), gifts: all(undefined) },
    ],
    [
      "a neighbour, after a look that knew no order,",
      false,
      { funds: async (gifts) => gifts.map(() => ({ error: fail("unavailable") })) },
    ],
  ])("where %s is unavailable, an earlier request may have been accepted: %s", async (_what, expected, over) => {
    const { one, queued } = world(over);
    const answer = await one(request);
    expect(answer).toMatchObject({ failure: "unavailable" });
    expect(perhaps(answer)).toBe(expected);
    expect(queued).toEqual([]);
  });

  test.each<[string, Partial<AcceptancePorts>]>([
    ["a check refuses", { rooms: all(undefined) }],
    ["a query fails", { funds: async (gifts) => gifts.map(() => ({ error: fail("unavailable") })) }],
  ])(
    "where %s, a gift that another node was publishing, or that this node lost the ack of, may have been accepted",
    async (_what, over) => {
      const elsewhere = world({ ...over, isReserved: () => true });
      expect(perhaps(await elsewhere.one(request))).toBe(true);
      const here = world({}, loses);
      await here.one(request);
      Object.assign(here.ports, over);
      expect(perhaps(await here.one(request))).toBe(true);
      expect(perhaps(await world({ ...over, isReserved: () => true }).one(once))).toBe(false);
    },
  );

  test("without a request id no order is looked up, so books that are away do not matter", async () => {
    const knownOrders = jest.fn(booksAway);
    expect(await world({ knownOrders, funds: funds("short") }).one(once)).toEqual(refused("balanceShort"));
    expect(await world({ knownOrders }).one(once)).toEqual({ orderId: expect.any(String) });
    expect(knownOrders).not.toHaveBeenCalled();
  });

  test("a known order is answered as the first time, even if gift, room and balance have changed", async () => {
    const gone = { gifts: all(undefined), rooms: all(undefined), funds: funds("short") };
    const { one, queued } = world({
      ...gone,
      knownOrders: async () => new Map([[orderId, contentHashOf(request)]]),
      mayGive: () => false,
    });
    expect(await one(request)).toEqual({ orderId });
    expect(await one({ ...request, count: 4 })).toEqual(refused("idempotencyConflict"));
    expect(queued).toEqual([]);
  });

  test("what the queue refuses is certainly not accepted, and may be sent again with other content", async () => {
    const { ports, one } = world({}, isRefused);
    expect(perhaps(await one(request))).toBe(false);
    ports.publish = world().ports.publish;
    expect(await one({ ...request, count: 4 })).toEqual({ orderId });
  });
});

test("a fault of the first lookup ends the group before anything is published; one of the second leaves the others' answers", async () => {
  const bug = new TypeError("a bug");
  const first = world({ knownOrders: () => Promise.reject(bug) });
  await expect(accept([request, once], first.ports)).rejects.toBe(bug);
  expect(first.queued).toEqual([]);
  const knownOrders = jest.fn(() => Promise.reject(bug)).mockResolvedValueOnce(new Map() as never);
  const second = world({
    knownOrders,
    funds: async ([, ...rest]) => [{ value: "short" }, ...rest.map(() => ({ value: "enough" as const }))],
  });
  const answers = await accept([request, once], second.ports);
  expect([perhaps(answers[0]), answers[1]]).toEqual([true, { orderId: expect.any(String) }]);
});

describe("gifts of one group", () => {
  test("are not affected by a refused, an invalid and an unanswered gift among them", async () => {
    const { ports } = world({
      gifts: async (ids) => new Map([...ids].map((id) => [id, { value: id === 22 ? giftOnSale : undefined }])),
      rooms: async (ids) =>
        new Map(
          [...ids].map((id): [number, Found<RoomReceivers>] => [
            id,
            id === 5 ? { value: room("77") } : { error: id === 6 ? fail("unavailable") : new Error("a bug") },
          ]),
        ),
      funds: async (gifts) => gifts.map(({ userId }) => ({ value: userId === "12" ? "short" : "enough" })),
    });
    const answers = await accept(
      [
        once,
        { ...once, giftId: 23 },
        { ...once, roomId: 6 },
        { ...once, roomId: 7 },
        { ...once, userId: "12" },
        { ...once, receiverId: "11" },
        { ...once, userId: "13" },
      ],
      ports,
    );
    expect(answers).toEqual([
      { orderId: expect.any(String) },
      refused("giftUnknown"),
      { failure: "unavailable", data: expect.any(Object) },
      refused("internal"),
      refused("balanceShort"),
      refused("giftToSelf"),
      { orderId: expect.any(String) },
    ]);
    expect(perhaps(answers[2])).toBe(false);
  });

  test("with one request id are one order; those with other content conflict, once one of them is accepted", async () => {
    const { ports, queued } = world();
    const answers = await accept([request, { ...request, count: 4 }, request, { ...request, giftId: 23 }], ports);
    expect(answers).toEqual([{ orderId }, refused("idempotencyConflict"), { orderId }, refused("idempotencyConflict")]);
    expect(queued).toHaveLength(1);
  });

  test("with one request id: a refused gift makes no other content a conflict", async () => {
    const { ports, queued } = world({
      funds: async (gifts) => gifts.map(({ amount }) => ({ value: amount > 300 ? "short" : "enough" })),
    });
    const answers = await accept([{ ...request, count: 4 }, request, { ...request, count: 5 }], ports);
    // The expensive ones would be accepted if they came first. Their order has the cheap content.
    expect(answers).toEqual([refused("idempotencyConflict"), { orderId }, refused("idempotencyConflict")]);
    expect(queued).toHaveLength(1);
    const none = world({ funds: funds("short") });
    expect(await accept([request, { ...request, count: 4 }], none.ports)).toEqual([
      refused("balanceShort"),
      refused("balanceShort"),
    ]);
  });

  test("whose order is being published in another group wait for it, then are that order or a conflict", async () => {
    const { ports, gate, queued, one } = world();
    let open = () => {};
    gate.open = new Promise((resolve) => {
      open = resolve;
    });
    const first = one(request);
    await inNextTurn();
    const later = accept([request, { ...request, count: 4 }], ports);
    const short = accept([request], { ...ports, funds: funds("short") });
    await inNextTurn();
    expect(queued).toHaveLength(1);
    open();
    expect(await first).toEqual({ orderId });
    expect(await later).toEqual([{ orderId }, refused("idempotencyConflict")]);
    expect(await short).toEqual([{ orderId }]);
    expect(queued).toHaveLength(1);
  });
});

describe("what this node remembers", () => {
  test("without Redis and before the settlement a repeat is the same order, and other content conflicts", async () => {
    const { one, queued } = world();
    await one(request);
    expect(await one(request)).toEqual({ orderId });
    expect(await one({ ...request, count: 4 })).toEqual(refused("idempotencyConflict"));
    expect(queued).toHaveLength(1);
  });

  test("a gift that may be in the queue is published again for the same content, and no other content has its order", async () => {
    const lost = world({}, loses);
    expect(perhaps(await lost.one(request))).toBe(true);
    const other = await lost.one({ ...request, count: 4 });
    expect(perhaps(other)).toBe(true);
    expect(lost.queued).toHaveLength(1);
    const { orders } = lost.ports;
    const well = world({ orders, mayGive: () => false });
    // A repeat is not counted against the sender's rate.
    expect(await well.one(request)).toEqual({ orderId });
    expect(await well.one({ ...request, count: 4 })).toEqual(refused("idempotencyConflict"));
  });

  test("while a gift may be in the queue its repeat is not refused for certain", async () => {
    const { ports, one } = world({}, loses);
    await one(request);
    const poor = await accept([request], { ...ports, funds: funds("short") });
    expect(perhaps(poor[0])).toBe(true);
  });
});

describe("what a node does not begin", () => {
  test.each<[string, Partial<AcceptancePorts>]>([
    ["after checks that took too long", { isStale: () => true }],
    ["while the sender's part of the queue does not ack", { isSilent: (userId) => userId === "11" }],
  ])("%s, is certainly not accepted", async (_what, over) => {
    const { one, queued } = world(over);
    const answer = await one(request);
    expect([answer, perhaps(answer)]).toEqual([expect.objectContaining({ failure: "unavailable" }), false]);
    expect(queued).toEqual([]);
  });

  /** A rate of so many gifts, and how many are counted. */
  const rateOf = (most: number) => {
    const rate = { counted: 0, asked: 0 };
    const mayGive = () => {
      rate.asked++;
      if (rate.counted === most) return false;
      rate.counted++;
      return true;
    };
    return { rate, mayGive, uncount: () => void rate.counted-- };
  };

  test("beyond the sender's rate is refused as too many; repeats are neither counted nor refused", async () => {
    const { rate, ...limited } = rateOf(2);
    const { ports, queued } = world(limited);
    const click = (n: number): GiftRequest => ({ ...request, requestId: `click-000${n}` });
    const answers = await accept([click(1), click(1), click(2), click(1), click(3)], ports);
    expect(answers.map((answer) => "failure" in answer && answer.failure)).toEqual([
      false,
      false,
      false,
      false,
      "tooMany",
    ]);
    expect(await accept([click(2)], ports)).toEqual([{ orderId: orderIdOf("11", "click-0002") }]);
    expect(rate).toEqual({ counted: 2, asked: 3 });
    expect(queued).toHaveLength(2);
  });

  test("beyond the sender's rate costs no check: refused gifts count, however they were refused", async () => {
    const asked: number[] = [];
    const { rate, ...limited } = rateOf(2);
    const { ports } = world({
      ...limited,
      gifts: (ids) => {
        asked.push(...ids);
        return all(undefined)(ids);
      },
    });
    const unknown = (n: number): GiftRequest => ({ ...request, giftId: 1_000 + n, requestId: `click-000${n}` });
    const answers = await accept([unknown(1), unknown(2), unknown(3), unknown(3), { ...once, giftId: 1_004 }], ports);
    const tooMany = { failure: "tooMany", data: { waitMs: 1_000 } };
    expect(answers).toEqual([refused("giftUnknown"), refused("giftUnknown"), tooMany, tooMany, tooMany]);
    // Without a request id too, and in a later group.
    expect(await accept([{ ...once, giftId: 1_005 }], ports)).toEqual([tooMany]);
    expect(asked).toEqual([1_001, 1_002]);
    expect(rate.counted).toBe(2);
  });

  test("with one request id and different contents is counted each time", async () => {
    const { rate, ...limited } = rateOf(2);
    const { ports } = world({ ...limited, gifts: all(undefined) });
    const answers = await accept(
      [1, 2, 3].map((n) => ({ ...request, giftId: 1_000 + n })),
      ports,
    );
    expect(answers.map((answer) => "failure" in answer && answer.failure)).toEqual([
      ...["giftUnknown", "giftUnknown", "tooMany"],
    ]);
    expect(rate.counted).toBe(2);
  });

  test("a repeat that the lookup finds is taken off the count before the checks end", async () => {
    const { rate, ...limited } = rateOf(1);
    let checked = () => {};
    const { ports } = world({
      ...limited,
      knownOrders: async () => new Map([[orderId, contentHashOf(request)]]),
      rooms: (ids) => new Promise((resolve) => (checked = () => resolve(all(room("77"))(ids)))),
    });
    const repeat = accept([request], ports);
    await inNextTurn();
    expect(rate).toEqual({ counted: 0, asked: 1 });
    checked();
    expect(await repeat).toEqual([{ orderId }]);
    // Other content is no repeat.
    const reuse = accept([{ ...request, count: 4 }], ports);
    await inNextTurn();
    checked();
    expect(await reuse).toEqual([refused("idempotencyConflict")]);
    expect(rate.counted).toBe(1);
    // With the rate used up, a repeat is answered as the first time all the same.
    expect(await accept([request], ports)).toEqual([{ orderId }]);
  });
});
