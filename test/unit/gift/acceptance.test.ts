import { fail, mayHaveHappened } from "../../../broker/failure.ts";
import type { FailureName } from "../../../config/errors.ts";
import { type AcceptancePorts, accept, type GiftRequest } from "../../../services/gift/acceptance.ts";
import type { AcceptedGift } from "../../../services/gift/accepted-gift.ts";
import { contentHashOf } from "../../../services/gift/accepted-gift.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";

const request: GiftRequest = {
  userId: "11",
  giftId: 22,
  roomId: 5,
  receiverId: "77",
  type: 0,
  count: 3,
  requestId: "click-0001",
};
const giftOnSale = {
  ...{
    giftId: 22,
    price: 90,
    giftName: "x",
    status: 1,
    coverImgUrl: "",
    svgaUrl: "x.svga",
    createTime: "",
    updateTime: "",
  },
};

function world(over: Partial<AcceptancePorts> = {}) {
  const queued: AcceptedGift[] = [];
  const ports: AcceptancePorts = {
    knownOrder: async () => undefined,
    gift: async () => giftOnSale,
    anchorOf: async () => "77",
    sharePercentOf: async () => 50,
    mayReceive: async () => true,
    funds: async () => "enough",
    enqueue: async (gift) => {
      queued.push(gift);
      return { contentHash: gift.contentHash, gift };
    },
    remember: async () => {},
    ...over,
  };
  return { ports, queued };
}

describe("accepting a gift", () => {
  test("puts it into the queue at the price of this moment", async () => {
    const { ports, queued } = world();
    const orderId = orderIdOf("11", "click-0001");
    expect(await accept(request, ports, new Date(0))).toEqual({ orderId });
    expect(queued).toMatchObject([{ orderId, senderId: "11", receiverId: "77", price: 90, count: 3, url: "x.svga" }]);
  });

  test("fixes the receiver's share of this moment in what is queued", async () => {
    const shares = new Map([["77", 60]]);
    const { ports, queued } = world({ sharePercentOf: async (receiverId) => shares.get(receiverId) ?? 50 });
    await accept(request, ports, new Date());
    shares.set("77", 70);
    await accept({ ...request, requestId: "click-0002" }, ports, new Date());
    expect(queued.map(({ sharePercent }) => sharePercent)).toEqual([60, 70]);
  });

  test("is not done where the share cannot be looked up", async () => {
    const { ports, queued } = world({ sharePercentOf: () => Promise.reject(new Error("no database")) });
    await expect(accept(request, ports, new Date())).rejects.toThrow("no database");
    expect(queued).toEqual([]);
  });

  test("without a request id every gift is an order of its own", async () => {
    const { ports, queued } = world();
    const { requestId: _none, ...once } = request;
    await accept(once, ports, new Date());
    await accept(once, ports, new Date());
    expect(new Set(queued.map(({ orderId }) => orderId)).size).toBe(2);
  });

  const refusedByTheWorld: [string, Partial<AcceptancePorts>, FailureName][] = [
    ["that does not exist", { gift: async () => undefined }, "giftUnknown"],
    ["not on sale", { gift: async () => ({ ...giftOnSale, status: 0 }) }, "giftUnknown"],
    ["in a room that is not live", { anchorOf: async () => undefined }, "roomNotLive"],
    ["to somebody who is not the anchor", { anchorOf: async () => "78" }, "roomNotLive"],
    ["that the balance does not pay for", { funds: async () => "short" }, "balanceShort"],
    ["from a frozen account", { funds: async () => "unusable" }, "accountUnusable"],
    ["to a frozen account", { mayReceive: async () => false }, "accountUnusable"],
    [
      "to a frozen account, which could not be paid either",
      { mayReceive: async () => false, funds: async () => "short" },
      "accountUnusable",
    ],
  ];

  test.each(refusedByTheWorld)("a gift %s is refused and never queued", async (_what, ports, refused) => {
    const { ports: all, queued } = world(ports);
    expect(await accept(request, all, new Date())).toEqual({ refused });
    expect(queued).toEqual([]);
  });

  /** The result of looking up the order: unknown at first, and accepted by a twin before the next lookup. */
  const knownAtSecondLook = (hash: string) => jest.fn().mockResolvedValueOnce(undefined).mockResolvedValueOnce(hash);

  test.each(refusedByTheWorld)(
    "a gift %s whose twin was accepted meanwhile is answered as that one, and one with other content conflicts",
    async (_what, ports) => {
      const twin = world({ ...ports, knownOrder: knownAtSecondLook(contentHashOf(request)) });
      expect(await accept(request, twin.ports, new Date())).toEqual({ orderId: orderIdOf("11", "click-0001") });
      const other = world({ ...ports, knownOrder: knownAtSecondLook("other") });
      expect(await accept(request, other.ports, new Date())).toEqual({ refused: "idempotencyConflict" });
      expect([...twin.queued, ...other.queued]).toEqual([]);
    },
  );

  const booksAway = () => Promise.reject(fail("unavailable"));

  test.each<[string, boolean, Partial<AcceptancePorts>]>([
    ["the first look for the order", true, { knownOrder: booksAway }],
    [
      "the look before a refusal",
      true,
      { knownOrder: jest.fn(booksAway).mockResolvedValueOnce(undefined as never), gift: async () => undefined },
    ],
    ["a neighbour, after a look that knew no order,", false, { funds: booksAway }],
  ])("where %s is unavailable, an earlier request may have been accepted: %s", async (_what, expected, over) => {
    const { ports, queued } = world(over);
    const error = await accept(request, ports, new Date()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type: "unavailable" });
    expect(mayHaveHappened(error)).toBe(expected);
    expect(queued).toEqual([]);
  });

  test("without a request id there is no twin to look for", async () => {
    const knownOrder = jest.fn();
    const { ports } = world({ knownOrder, funds: async () => "short" });
    const { requestId: _none, ...once } = request;
    expect(await accept(once, ports, new Date())).toEqual({ refused: "balanceShort" });
    expect(knownOrder).not.toHaveBeenCalled();
  });

  test("without a request id the order is the caller's own; with one it is never another than that one's", async () => {
    const { ports } = world();
    const orderId = "3f0e1a52-6f0c-4b52-9d5e-0d4f5a2f8c11";
    const { requestId: _none, ...once } = request;
    expect(await accept({ ...once, orderId }, ports, new Date())).toEqual({ orderId });
    expect(await accept({ ...request, orderId }, ports, new Date())).toEqual({
      orderId: orderIdOf("11", "click-0001"),
    });
  });

  test("a gift to oneself is refused, and never queued", async () => {
    const { ports, queued } = world();
    expect(await accept({ ...request, receiverId: "11" }, ports, new Date())).toEqual({ refused: "giftToSelf" });
    expect(queued).toEqual([]);
  });

  test("a known order is answered as the first time, whatever became of gift, room and balance", async () => {
    const gone = { gift: async () => undefined, anchorOf: async () => undefined, funds: async () => "short" as const };
    const { ports, queued } = world({ ...gone, knownOrder: async () => contentHashOf(request) });
    expect(await accept(request, ports, new Date())).toEqual({ orderId: orderIdOf("11", "click-0001") });
    expect(queued).toEqual([]);
  });

  test("a request id that stands for other content is refused: known, or found in the queue", async () => {
    const known = world({ knownOrder: async () => "other" });
    expect(await accept(request, known.ports, new Date())).toEqual({ refused: "idempotencyConflict" });
    const raced = world({ enqueue: async () => ({ contentHash: "other", gift: undefined }) });
    expect(await accept(request, raced.ports, new Date())).toEqual({ refused: "idempotencyConflict" });
  });

  test("what stands in the queue is remembered, at its price; of what is settled and gone, nothing is", async () => {
    const remember = jest.fn();
    const found = (gift: AcceptedGift | undefined) =>
      world({ remember, enqueue: async ({ contentHash }) => ({ contentHash, gift }) }).ports;
    const first = { orderId: orderIdOf("11", "click-0001"), price: 10 } as AcceptedGift;
    await accept(request, found(first), new Date());
    await accept(request, found(undefined), new Date());
    expect(remember.mock.calls).toEqual([[first]]);
  });

  test("what could not be queued is not accepted", async () => {
    const { ports } = world({ enqueue: () => Promise.reject(new Error("no server")) });
    await expect(accept(request, ports, new Date())).rejects.toThrow("no server");
  });
});
