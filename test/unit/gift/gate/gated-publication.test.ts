import { fail } from "../../../../broker/failure.ts";
import { Candidate, type GiftRequest, type PassedGift } from "../../../../services/gift/candidate.ts";
import { publishAllowed } from "../../../../services/gift/gate/gated-publication.ts";
import type { GateVerdict } from "../../../../services/gift/gate/gift-gate.ts";
import { NodeOrders } from "../../../../services/gift/node-orders.ts";
import { silentLog } from "../../../support/silent-log.ts";

const request: GiftRequest = { userId: "11", giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const passed = (requestId?: string): PassedGift => ({
  candidate: new Candidate({ ...request, ...(requestId && { requestId }) }),
  terms: { price: 90, sharePercent: 50, url: "" },
});

type Options = Partial<Parameters<typeof publishAllowed>[2]> & { onFailure?: "accept" | "refuse" };

function world(verdictOf: (n: number) => GateVerdict | undefined, { onFailure = "refuse", ...over }: Options = {}) {
  const published: PassedGift[] = [];
  const asked: string[] = [];
  const orders = over.orders ?? new NodeOrders();
  const run = async (gifts: PassedGift[]) => {
    for (const { candidate } of gifts) if (candidate.repeatable) orders.begin(candidate);
    const gate = {
      async ask(questions: readonly { orderId: string }[]) {
        asked.push(...questions.map(({ orderId }) => orderId));
        const found = questions.map(({ orderId }) => [
          orderId,
          verdictOf(gifts.findIndex(({ candidate }) => candidate.orderId === orderId)),
        ]);
        return new Map(found.filter(([, verdict]) => verdict !== undefined) as [string, GateVerdict][]);
      },
    };
    await publishAllowed(
      gifts,
      { gate, onFailure },
      {
        orders,
        log: silentLog,
        knownOrders: async () => new Map(),
        isReserved: () => false,
        isStale: () => false,
        async publish(allowed) {
          published.push(...allowed);
          for (const { candidate } of allowed) {
            candidate.answerAs(candidate.contentHash);
            if (candidate.repeatable) orders.end(candidate);
          }
        },
        ...over,
      },
    );
    return gifts.map(({ candidate }) => candidate.answer);
  };
  return { run, published, asked, orders };
}

test("allowed gifts are published, refused ones answered with the platform's words, each on its own", async () => {
  const verdicts: GateVerdict[] = ["allowed", { code: 42, msg: "no" }, {}];
  const { run, published } = world((n) => verdicts[n]);
  const gifts = [passed("click-0001"), passed("click-0002"), passed()];
  expect(await run(gifts)).toEqual([
    { orderId: gifts[0]?.candidate.orderId },
    { failure: "giftGated", data: { code: 42, msg: "no" } },
    { failure: "giftGated", data: {} },
  ]);
  expect(published).toEqual([gifts[0]]);
});

test.each([
  ["accept", 2],
  ["refuse", 0],
] as const)("gifts without an answer: %s", async (onFailure, count) => {
  const { run, published, orders } = world(() => "unanswered", { onFailure });
  const gifts = [passed("click-0001"), passed()];
  const answers = await run(gifts);
  expect(published).toHaveLength(count);
  if (onFailure === "refuse")
    for (const answer of answers) {
      expect(answer).toMatchObject({ failure: "unavailable" });
      expect(answer).not.toMatchObject({ data: { mayHaveHappened: true } });
    }
  expect(orders.publishing(gifts[0]?.candidate.orderId as string)).toBeUndefined();
});

test("a gift that this node may have published is not asked about: it was allowed", async () => {
  const orders = new NodeOrders();
  const gift = passed("click-0001");
  const { orderId, contentHash } = gift.candidate;
  const earlier = new Candidate(gift.candidate.request);
  earlier.outcome = { contentHash, accepted: false };
  orders.end(earlier);
  const { run, asked, published } = world(() => ({}), { orders });
  await run([gift]);
  expect([asked, published]).toEqual([[], [gift]]);
  expect(orders.publishing(orderId)).toBeUndefined();
});

test("a refused gift whose order was accepted meanwhile gets that order; one that may be is answered so", async () => {
  const gift = passed("click-0001");
  const { orderId, contentHash } = gift.candidate;
  const known = world(() => ({}), { knownOrders: async () => new Map([[orderId, contentHash]]) });
  expect(await known.run([gift])).toEqual([{ orderId }]);
  const perhaps = { failure: "unavailable", data: { mayHaveHappened: true } };
  const reserved = world(() => ({}), { isReserved: () => true });
  expect(await reserved.run([passed("click-0001")])).toMatchObject([perhaps]);
  const away = world(() => ({}), { knownOrders: () => Promise.reject(fail("unavailable")) });
  expect(await away.run([passed("click-0001")])).toMatchObject([perhaps]);
  expect(await away.run([passed()])).toEqual([{ failure: "giftGated", data: {} }]);
  const unanswered = world(() => "unanswered", { isReserved: () => true });
  expect(await unanswered.run([passed("click-0001")])).toMatchObject([perhaps]);
});

test("a group that has taken too long by then is not published, and refusals count", async () => {
  const verdicts: GateVerdict[] = ["allowed", {}];
  const { run, published } = world((n) => verdicts[n], { isStale: () => true });
  expect(await run([passed("click-0001"), passed("click-0002")])).toMatchObject([
    { failure: "unavailable" },
    { failure: "giftGated" },
  ]);
  expect(published).toEqual([]);
});
