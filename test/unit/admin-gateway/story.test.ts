import { natsPrefix } from "../../../config/config.ts";
import { giftStory } from "../../../services/admin-gateway/story/gift-story.ts";
import { paymentStory } from "../../../services/admin-gateway/story/payment-story.ts";
import type { Story, StoryParts, StoryProposal } from "../../../services/admin-gateway/story/story.ts";
import type { GiftOrderStory } from "../../../services/gift/staff.contract.ts";
import type { PayOrderStory } from "../../../services/payment/staff.contract.ts";
import type { HandledDeadLetter } from "../../../services/staff/dead-letters.contract.ts";
import type { StoryTrade, WalletStory } from "../../../services/wallet/staff.contract.ts";

/** How the parts of an order's story are put together; who answered them is in the integration tests. */

const at = (second: number) => new Date(Date.UTC(2026, 10, 26, 12, 0, second)).toISOString();
const [payer, anchor] = ["383138010168813800", "383138009967865135"];
const shown = ({ steps }: Story) => steps.map(({ what, state }) => `${what} ${state}`);
const stepOf = ({ steps }: Story, what: string) => steps.find((step) => step.what === what);

const nothing: WalletStory = { trades: [], debts: [], holds: [], refundedWith: [], cut: false };
const tradeOf = (trade: Partial<StoryTrade>): StoryTrade => ({
  ...{ bizId: "o-1", userId: payer, num: -90, type: 0, status: 1, reason: null, counterpartyId: anchor },
  ...{ incomePoints: 4_500, balanceAfter: 10, time: at(1), ...trade },
});

const settled: GiftOrderStory = {
  ...{ orderId: "o-1", madeOf: "requestId", senderId: payer, receiverId: anchor, roomId: 7, giftId: 22 },
  ...{ giftName: "皇冠", count: 2, price: 45, state: "succeeded", accepted: { time: at(0), clock: "jetstream" } },
  ...{ queue: null, deadLetter: null },
  record: { id: "5", reason: null, income: 45, incomePoints: 4_500, time: at(2) },
  event: { state: "done", sequence: 12, time: at(3) },
};
const waiting: GiftOrderStory = {
  ...settled,
  ...{ state: "waiting", record: null, event: { state: "waiting", sequence: null, time: null } },
  queue: { stream: "GIFTS-1", sequence: 40, before: 3 },
};
const gift = (parts: Partial<StoryParts>): Story =>
  giftStory({ orderId: "o-1", gift: settled, payment: null, wallet: nothing, proposals: [], letters: [], ...parts });

const letter = (more: Partial<HandledDeadLetter>): HandledDeadLetter => ({
  ...{ handledId: "1", id: 3, time: at(4), channel: "gift-settler", subject: `${natsPrefix()}gift.send.1` },
  ...{ deadReason: "odd", orderId: "o-1", forged: false, unknownKey: false, size: 80 },
  ...{ decision: "giveUp", state: "done", by: "ada" },
  ...{ reason: "twice", beginTime: at(8), doneTime: at(9), body: null, ...more },
});

describe("the story of a gift", () => {
  test("that succeeded is accepted, charged, recorded, published and shown, each with what it says and when", () => {
    const wallet = { ...nothing, trades: [tradeOf({})] };
    const story = gift({ wallet, frame: { seq: 9, epoch: "ab" } });
    expect(shown(story)).toEqual(["accepted done", "charged done", "recorded done", "event done", "frame done"]);
    expect(story).toMatchObject({ kind: "gift", userId: payer, receiverId: anchor, roomId: 7, state: "succeeded" });
    expect(story).toMatchObject({ title: "皇冠 × 2", incomplete: [], cut: false });
    expect(stepOf(story, "charged")).toMatchObject({ time: at(1), data: { coins: 90, balanceAfter: 10 } });
    expect(stepOf(story, "event")).toMatchObject({ time: at(3), data: { sequence: 12 } });
    expect(stepOf(story, "frame")).toMatchObject({ time: null, data: { seq: 9, epoch: "ab" } });
  });

  test("whose frame or event is kept no more says so, and invents no time", () => {
    const event = { state: "notKept", sequence: null, time: null } as const;
    const story = gift({ gift: { ...settled, event }, wallet: { ...nothing, trades: [tradeOf({})] }, frame: null });
    expect(shown(story).slice(3)).toEqual(["event notKept", "frame notKept"]);
    expect(story.steps.slice(3).map(({ time }) => time)).toEqual([null, null]);
  });

  test("that failed has the reason of its charge, no frame, and a notification whose end nothing keeps", () => {
    const failed = { ...settled, state: "failed", record: { ...settled.record, reason: "balanceShort" } } as const;
    const wallet = { ...nothing, trades: [tradeOf({ status: 0, reason: "balanceShort" })] };
    const story = gift({ gift: failed as GiftOrderStory, wallet });
    expect(shown(story)).toEqual(["accepted done", "charged failed", "recorded done", "event done", "notice notKept"]);
    expect(stepOf(story, "charged")?.data.reason).toBe("balanceShort");
  });

  test("that waits in the queue says where, and everything else is to come", () => {
    const story = gift({ gift: waiting });
    const rest = ["charged waiting", "recorded waiting", "event waiting", "frame waiting"];
    expect(shown(story)).toEqual(["accepted done", ...rest]);
    expect(stepOf(story, "accepted")?.data).toMatchObject({ stream: "GIFTS-1", sequence: 40, before: 3 });
  });

  test("that is a dead letter says so, also where it is charged already", () => {
    const dead = {
      ...waiting,
      queue: null,
      state: "deadLetter",
      deadLetter: { id: 3, time: at(4), reason: "odd" },
    } as const;
    const story = gift({ gift: dead, wallet: { ...nothing, trades: [tradeOf({})] } });
    expect(shown(story)).toEqual([
      "accepted done",
      "deadLetter failed",
      "charged done",
      "recorded waiting",
      "event waiting",
      "frame waiting",
    ]);
    expect(stepOf(story, "deadLetter")).toMatchObject({ time: at(4), data: { id: 3, reason: "odd" } });
  });

  test("whose dead letter was given up is over, whether anybody remembers it or not, and nothing of it is to come", () => {
    const given = letter({});
    const step = { what: "deadLetter", time: at(4), state: "failed", service: "staff" };
    const data = { id: 3, reason: "odd", decision: "giveUp", by: "ada", doneTime: at(9), decisionReason: "twice" };
    const gone = gift({ gift: null, letters: [given] });
    expect(gone).toMatchObject({ kind: "gift", state: "givenUp", steps: [{ ...step, data }] });
    const recalled = gift({ gift: { ...waiting, queue: null }, letters: [given] });
    expect([recalled.state, ...shown(recalled)]).toEqual(["givenUp", "accepted done", "deadLetter failed"]);
    const charged = gift({ gift: null, letters: [given], wallet: { ...nothing, trades: [tradeOf({})] } });
    expect([charged.state, ...shown(charged).toSorted()]).toEqual([
      ...["givenUp", "charged done", "deadLetter failed", "recorded missing"],
    ]);
  });

  test("whose dead letter was put back is where its service says, with the decision as a step", () => {
    const back = letter({ decision: "replay" });
    expect(gift({ gift: waiting, letters: [back] }).state).toBe("waiting");
    const story = gift({ letters: [back], wallet: { ...nothing, trades: [tradeOf({})] }, frame: null });
    expect([story.state, ...shown(story).slice(0, 3)]).toEqual([
      ...["succeeded", "accepted done", "deadLetter done", "charged done"],
    ]);
  });

  test("on whose dead letter somebody has begun to decide has one step of it, which waits", () => {
    const dead = { ...waiting, queue: null, state: "deadLetter", deadLetter: { id: 3, time: at(4), reason: "odd" } };
    const story = gift({ gift: dead as GiftOrderStory, letters: [letter({ state: "begun", doneTime: null })] });
    expect(story.state).toBe("deadLetter");
    expect(shown(story).filter((step) => step.startsWith("deadLetter"))).toEqual(["deadLetter waiting"]);
  });

  test("of which only a reader's dead letter is left is not given up by that", () => {
    const read = letter({ subject: `${natsPrefix()}event.gift.settled`, channel: "rank" });
    expect(gift({ gift: null, letters: [read] }).state).toBe("unknown");
  });

  test("that was paid with refunded coins names the refunded order and what was decided about the share", () => {
    const hold = { orderId: "p-1", anchorId: anchor, coins: 40, points: 2_000, reason: "fraud", time: at(9) };
    const wallet: WalletStory = {
      ...{ ...nothing, trades: [tradeOf({})] },
      refundedWith: [{ orderId: "p-1", coins: 40, points: 2_000, state: "held", time: at(8) }],
      holds: [{ ...hold, releasedTime: null, releaseReason: null }],
    };
    const story = gift({ wallet, frame: null });
    expect(shown(story).slice(-2)).toEqual(["refundedWith done", "hold done"]);
    expect(stepOf(story, "refundedWith")?.data).toEqual({ orderId: "p-1", coins: 40, points: 2_000, share: "held" });
  });

  test("that is recorded without a charge is a charge that is missing", () => {
    expect(stepOf(gift({ frame: null }), "charged")).toMatchObject({ state: "missing", time: null });
  });

  test.each([
    ["wallet", { wallet: undefined, frame: null }, "charged"],
    ["im-router", { wallet: { ...nothing, trades: [tradeOf({})] }, frame: undefined }, "frame"],
    ["gift", { gift: undefined, wallet: { ...nothing, trades: [tradeOf({})] } }, "recorded"],
    ["staff", { proposals: undefined, frame: null }, "proposal"],
    ["jetstream", { gift: { ...settled, event: null }, frame: null }, "event"],
  ] as const)("without the service %s names it, and has no step as if it had not happened", (service, parts, what) => {
    const story = gift(parts as Partial<StoryParts>);
    expect(story.incomplete).toEqual([service]);
    expect(stepOf(story, what)).toBeUndefined();
  });

  test("of which the ledger alone knows misses its record", () => {
    const story = gift({ gift: null, wallet: { ...nothing, trades: [tradeOf({})] } });
    expect(shown(story).toSorted()).toEqual(["charged done", "recorded missing"]);
    expect(story).toMatchObject({ state: "unknown", userId: payer, receiverId: anchor, incomplete: [] });
  });
});

const order: PayOrderStory["order"] = {
  ...{ orderId: "o-1", userId: payer, productId: 6, productName: "30元旗鱼币", source: 1, payChannel: 1 },
  ...{ status: 2, amount: 3_000, coins: 300, transactionId: "t-1", createTime: at(0), payTime: at(5) },
  ...{ refundTime: null, refundReason: null },
};
const notice = {
  channel: "wechat",
  outcome: "applied",
  reason: "paid",
  transactionId: "t-1",
  amount: 3_000,
  asked: false,
};
const paid: PayOrderStory = {
  ...{ order, webhooks: [{ ...notice, time: at(6) }], marks: [], unconfirmed: [], watch: null, refund: null },
  messages: [
    { subject: "event.payment.paid", writtenTime: at(6), sentTime: at(7), sequence: 3 },
    { subject: "pay.recharge", writtenTime: at(6), sentTime: at(7), sequence: 9 },
  ],
  ...{ differences: [], cut: false },
};
const credit = tradeOf({ num: 300, type: 1, counterpartyId: null, incomePoints: 0, time: at(8) });
const payment = (parts: Partial<StoryParts>): Story =>
  paymentStory({
    orderId: "o-1",
    gift: null,
    payment: paid,
    wallet: { ...nothing, trades: [credit] },
    proposals: [],
    letters: [],
    ...parts,
  });
const without = { ...paid, messages: [] };
const refund: PayOrderStory["refund"] = {
  ...{ state: "done", origin: "operator", amount: 3_000, reason: "disputed", attempts: 1, problem: null },
  ...{ time: at(20), acceptedTime: at(21), updateTime: at(22) },
};

describe("the story of a payment", () => {
  test("has the decision about the dead letter of its message, also where nobody else knows it", () => {
    const given = letter({ subject: `${natsPrefix()}pay.recharge`, channel: "wallet" });
    const story = payment({ wallet: nothing, letters: [given] });
    expect(shown(story)).toEqual(expect.arrayContaining(["deadLetter failed", "credited missing"]));
    expect(story.state).toBe("paid");
    const alone = payment({ payment: null, wallet: nothing, letters: [given] });
    expect([alone.state, ...shown(alone)]).toEqual(["givenUp", "deadLetter failed"]);
  });

  test("that was paid is created, told of, paid, sent to the wallet and credited, by the times", () => {
    const story = payment({});
    const steps = ["created done", "paid done", "notice done", "message done", "event done", "credited done"];
    expect(shown(story)).toEqual(steps);
    expect(story).toMatchObject({
      kind: "payment",
      state: "paid",
      title: "30元旗鱼币",
      receiverId: null,
      roomId: null,
    });
    expect(stepOf(story, "message")).toMatchObject({ time: at(7), data: { subject: "pay.recharge", sequence: 9 } });
    expect(stepOf(story, "credited")).toMatchObject({ time: at(8), data: { coins: 300 } });
  });

  test("whose message left the outbox long ago says that its time is not kept, not that it was not sent", () => {
    const story = payment({ payment: without });
    expect(stepOf(story, "message")).toMatchObject({ state: "notKept", time: null, data: { confirmed: 1 } });
    expect(stepOf(story, "event")).toMatchObject({ state: "notKept", time: null });
  });

  test("whose message waits is to be credited; one that is confirmed and not credited is missing", () => {
    const unconfirmed = [{ effect: "credit" as const, nextTime: at(30), asked: 2, again: 1 }];
    const onItsWay = payment({ payment: { ...without, unconfirmed }, wallet: nothing });
    expect(stepOf(onItsWay, "message")).toMatchObject({ state: "waiting", data: { asked: 2, again: 1 } });
    expect(stepOf(onItsWay, "credited")).toMatchObject({ state: "waiting" });
    expect(stepOf(payment({ payment: without, wallet: nothing }), "credited")).toMatchObject({ state: "missing" });
  });

  test.each(["topicMissing", "creditHeld", "creditChanged"])(
    "with the mark %s waits for a person and has no message",
    (mark) => {
      const marks = [{ mark, transactionId: null, since: at(7) }];
      const story = payment({ payment: { ...without, marks }, wallet: nothing });
      expect(stepOf(story, "parked")).toMatchObject({ state: "waiting", time: at(7), data: { mark } });
      expect(stepOf(story, "credited")).toMatchObject({ state: "waiting" });
      expect(stepOf(story, "message")).toBeUndefined();
    },
  );

  test("that was paid twice keeps its credit, and has the mark with the second payment", () => {
    const marks = [{ mark: "paidTwice", transactionId: "t-2", since: at(9) }];
    const webhooks = [...paid.webhooks, { ...notice, outcome: "parked", transactionId: "t-2", time: at(9) }];
    const story = payment({ payment: { ...paid, marks, webhooks } });
    expect(stepOf(story, "credited")).toMatchObject({ state: "done" });
    expect(stepOf(story, "parked")).toMatchObject({ data: { mark: "paidTwice", transactionId: "t-2" } });
    expect(story.steps.filter(({ what }) => what === "notice")).toHaveLength(2);
  });

  test("that was refunded has the request, the money, the coins and what became a debt", () => {
    const refunded = { ...order, status: 5, refundTime: at(20), refundReason: "disputed" };
    const taken = tradeOf({ bizId: "refund:o-1", num: -120, type: 2, balanceAfter: 0, time: at(23) });
    const wallet = { ...nothing, trades: [credit, taken], debts: [{ bizId: "refund:o-1", num: 180, time: at(23) }] };
    const story = payment({ payment: { ...paid, order: refunded, refund }, wallet });
    expect(stepOf(story, "refundAsked")).toMatchObject({
      time: at(20),
      data: { origin: "operator", reason: "disputed" },
    });
    const parts = story.steps.filter(({ what }) => what === "refunded");
    expect(parts.map(({ service, state }) => [service, state])).toEqual([
      ["payment", "done"],
      ["wallet", "done"],
    ]);
    expect(parts[1]?.data).toMatchObject({ coins: 120, balanceAfter: 0 });
    expect(stepOf(story, "debt")).toMatchObject({ data: { coins: 180, change: "left" } });
    const messages = story.steps.filter(({ what }) => what === "message").map(({ data }) => data.effect);
    expect(messages).toEqual(["credit", "refund"]);
  });

  test("whose refund the provider refuses has a refund that failed", () => {
    const refunded = { ...order, status: 5 };
    const failed = { ...refund, state: "failed", problem: "no such payment" };
    const story = payment({ payment: { ...paid, order: refunded, refund: failed } });
    expect(stepOf(story, "refunded")).toMatchObject({ state: "failed", data: { problem: "no such payment" } });
  });

  test("that was refunded without a credit takes no coins back, and nothing of it is missing", () => {
    const marks = [{ mark: "neverCredited", transactionId: null, since: at(20) }];
    const refunded = { ...without, order: { ...order, status: 5 }, marks, refund };
    const story = payment({ payment: refunded, wallet: nothing });
    expect(shown(story).filter((step) => /missing|waiting/.test(step))).toEqual([]);
    expect(story.steps.map(({ what }) => what)).not.toContain("credited");
  });

  test("that was cancelled was not paid, and nothing is to come", () => {
    const cancelled = { ...without, order: { ...order, status: 3, payTime: null, transactionId: null }, webhooks: [] };
    expect(shown(payment({ payment: cancelled, wallet: nothing }))).toEqual(["created done", "paid failed"]);
  });

  test("that is open waits for its provider", () => {
    const watch = { nextTime: at(30), expireTime: at(59), asked: 1 };
    const open = { ...without, order: { ...order, status: 1, payTime: null }, webhooks: [], watch };
    expect(shown(payment({ payment: open, wallet: nothing }))).toEqual([
      "created done",
      "paid waiting",
      "notice waiting",
    ]);
    // The watch of an order that is paid meanwhile is still there for a while.
    expect(shown(payment({ payment: { ...paid, watch } }))).not.toContain("notice waiting");
  });

  test("has its differences, open and resolved, and its proposals", () => {
    const difference = { date: "2026-11-25", channel: "wechat", kind: "notInBill", detail: "3000 fen", time: at(40) };
    const differences = [
      { ...difference, resolvedTime: null, resolveReason: null },
      { ...difference, resolvedTime: at(50), resolveReason: "late bill" },
    ];
    const proposal: StoryProposal = {
      ...{ proposalId: "s7", kind: "refund", coins: 300, reason: "disputed", proposedBy: "staff:ann" },
      ...{ createTime: at(45), state: "open", decidedBy: null, decidedTime: null },
    };
    const story = payment({ payment: { ...paid, differences }, proposals: [proposal] });
    expect(shown(story).slice(-3)).toEqual(["difference waiting", "difference done", "proposal waiting"]);
    expect(story.proposals).toEqual([proposal]);
    const declined = payment({ proposals: [{ ...proposal, state: "declined" }] });
    expect(stepOf(declined, "proposal")?.state).toBe("failed");
  });

  test("without the wallet has no step of it, also none that is missing", () => {
    const story = payment({ payment: without, wallet: undefined });
    expect(story.incomplete).toEqual(["wallet"]);
    expect(story.steps.map(({ service }) => service)).not.toContain("wallet");
    expect(stepOf(story, "message")).toMatchObject({ state: "notKept", data: { confirmed: null } });
  });

  test("without payment is what the ledger has", () => {
    const story = payment({ payment: undefined });
    expect(story).toMatchObject({ state: "unknown", userId: payer, incomplete: ["payment"] });
    expect(shown(story)).toEqual(["credited done"]);
  });
});
