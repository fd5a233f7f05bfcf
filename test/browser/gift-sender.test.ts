/** The page's sender of gifts against an API that plays the gateway's part. No browser is needed. */
import type { createGiftSender as Create, GiftContent, GiftOutcome, SendError } from "../../public/js/gift-sender.js";
import { loadPageModule } from "./page-module.ts";

const { createGiftSender } = loadPageModule<{ createGiftSender: typeof Create }>("js/gift-sender.js");

type Answer = { orderId: string } | SendError;
type Found = { status: string; reason?: string; reasonCode?: number };

const unsure: SendError = { retryable: true, retryAfterMs: 2_000, orderId: "order-1" };
const away: SendError = { retryable: true, retryAfterMs: 2_000, answered: true };
const refused: SendError = { retryable: false, answered: true };
const accepted = { orderId: "order-1" };

/** A sender whose requests are answered one after the other as given; an order that is not given is unknown. */
function world(answers: Answer[], orders: (Found | undefined)[] = []) {
  const sent: GiftContent[] = [];
  const asked: string[] = [];
  const outcomes: GiftOutcome[] = [];
  const reported = Promise.withResolvers<void>();
  const api = {
    async sendGift(content: GiftContent) {
      sent.push(content);
      const answer = answers.shift() as Answer;
      if (answer === accepted) return accepted;
      throw answer;
    },
    async giftOrder(orderId: string) {
      asked.push(orderId);
      const found = orders.shift();
      if (!found) throw new Error("no such order");
      return found;
    },
  };
  const sender = createGiftSender({
    ...{ api, roomId: 5, receiverId: "77", signal: new AbortController().signal },
    ...{ retryMs: 1, retryMostMs: 1, outcomeFirstMs: 1, outcomeTries: 5 },
    onOutcome(_content, outcome) {
      outcomes.push(outcome);
      reported.resolve();
    },
  });
  return {
    sender,
    sent,
    asked,
    outcomes,
    reported: reported.promise,
    submit: () => sender.submit(sender.order({ giftId: 22 }, 1)),
  };
}

test("every gift has a request id, another for each order", async () => {
  const { sender } = world([]);
  const ids = [1, 2, 3].map(() => sender.order({ giftId: 22 }, 1).requestId);
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
});

test("after a 503 with an order id that order is asked for, and where it is known nothing is sent again", async () => {
  const { submit, sent, asked, outcomes } = world([unsure], [{ status: "succeeded" }]);
  expect(await submit()).toBe("settled");
  expect([sent.length, asked]).toEqual([1, ["order-1"]]);
  expect(outcomes).toEqual([{ status: "succeeded" }]);
});

test("where it is on its way its outcome is reported once, over IM or by asking", async () => {
  const overIm = world([unsure], [{ status: "accepted" }]);
  expect(await overIm.submit()).toBe("accepted");
  overIm.sender.settle("order-1", { status: "succeeded" });
  const failed = { status: "failed", reason: "余额不足", reasonCode: 10010 };
  const asking = world([unsure], [{ status: "accepted" }, { status: "accepted" }, failed]);
  expect(await asking.submit()).toBe("accepted");
  await asking.reported;
  expect([overIm.sent.length, overIm.outcomes]).toEqual([1, [{ status: "succeeded" }]]);
  expect([asking.sent.length, asking.outcomes]).toEqual([1, [{ status: "failed", msg: "余额不足", code: 10010 }]]);
});

test("where it is unknown the same request is sent again, request id and all", async () => {
  const { submit, sent, asked } = world([unsure, accepted], [undefined]);
  expect(await submit()).toBe("accepted");
  expect(asked[0]).toBe("order-1");
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual(sent[0]);
});

test("where the outcome is not known it is asked for a while, and then reported as unknown", async () => {
  const { submit, sent, outcomes, reported } = world([unsure, unsure, unsure]);
  expect(await submit()).toBe("unsure");
  expect(new Set(sent.map(({ requestId }) => requestId)).size).toBe(1);
  await reported;
  expect([sent.length, outcomes]).toEqual([3, [{ status: "unknown" }]]);
});

test("a refused repeat leaves an earlier try that may have been accepted unsure", async () => {
  const { sender, submit, outcomes } = world([unsure, refused]);
  expect(await submit()).toBe("unsure");
  sender.settle("order-1", { status: "succeeded" });
  expect(outcomes).toEqual([{ status: "succeeded" }]);
});

test("a 503 without an order id was not accepted: the same request is sent again, and given up in the end", async () => {
  const { submit, sent, asked } = world([away, away, away]);
  await expect(submit()).rejects.toBe(away);
  expect([sent.length, asked]).toEqual([3, []]);
  await expect(world([refused]).submit()).rejects.toBe(refused);
});

const noAnswer: SendError = { retryable: true };

test.each([
  ["no answer, then a refusal", [noAnswer, refused]],
  ["no answer, then a 503 that did not accept the repeat", [noAnswer, away, away]],
  ["no answer to any", [noAnswer, noAnswer, noAnswer]],
  ["an answer that cannot be read", [{ retryable: false }]],
] as [string, SendError[]][])(
  "a try that was not answered is no refusal, whatever comes after it: %s",
  async (_what, answers) => {
    const { submit, asked, outcomes } = world([...answers]);
    expect(await submit()).toBe("unanswered");
    expect([asked, outcomes]).toEqual([[], []]);
  },
);

test("what one submit left open a refusal of the next does not close; its acceptance does", async () => {
  const { sender, outcomes } = world([noAnswer, refused, refused, accepted, refused]);
  const order = sender.order({ giftId: 22 }, 1);
  expect(await sender.submit(order)).toBe("unanswered");
  expect(await sender.submit(order)).toBe("unanswered");
  expect(await sender.submit(order)).toBe("accepted");
  sender.settle("order-1", { status: "succeeded" });
  expect(outcomes).toEqual([{ status: "succeeded" }]);
  await expect(sender.submit(order)).rejects.toBe(refused);
});

test("an order id that comes after a try without an answer is asked for", async () => {
  const { submit, outcomes } = world([noAnswer, unsure], [{ status: "succeeded" }]);
  expect(await submit()).toBe("settled");
  expect(outcomes).toEqual([{ status: "succeeded" }]);
});

const leaving = new AbortController();
afterAll(() => leaving.abort());

test("IM may name an order by its tag, also before the answer to the request has come", async () => {
  const id = "f7a151d0-0c52-4d3f-9b0c-0a1b2c3d4e5f";
  const outcomes: GiftOutcome[] = [];
  const answers = [Promise.withResolvers<{ orderId: string }>(), Promise.withResolvers<{ orderId: string }>()];
  let sent = 0;
  const sender = createGiftSender({
    api: {
      sendGift: () => (answers[sent++] as (typeof answers)[0]).promise,
      giftOrder: () => Promise.reject(new Error("IM is faster")),
    },
    ...{ roomId: 5, receiverId: "77", signal: leaving.signal, outcomeFirstMs: 60_000 },
    onOutcome: (_content, outcome) => void outcomes.push(outcome),
  });
  const early = sender.submit(sender.order({ giftId: 22 }, 1));
  sender.settle("0a1b2c3d4e5f", { status: "succeeded" });
  answers[0]?.resolve({ orderId: id });
  expect(await early).toBe("settled");
  const late = sender.submit(sender.order({ giftId: 22 }, 1));
  answers[1]?.resolve({ orderId: id.replace("0a1b", "ffff") });
  expect(await late).toBe("accepted");
  sender.settle("ffff2c3d4e5f", { status: "succeeded" });
  expect(outcomes).toEqual([{ status: "succeeded" }, { status: "succeeded" }]);
});

test("sends a gift to another receiver where the order names one", async () => {
  const { sender, sent } = world([accepted, accepted]);
  await sender.submit(sender.order({ giftId: 22 }, 1, "78"));
  await sender.submit(sender.order({ giftId: 22 }, 1));
  expect(sent.map(({ receiverId }) => receiverId)).toEqual(["78", "77"]);
});
