import type { PayOrderStory } from "../../payment/staff.contract.ts";
import type { StoryTrade, WalletStory } from "../../wallet/staff.contract.ts";
import { letterSteps, stateByLetters } from "./letters.ts";
import { holdSteps, inOrder, proposalStep, type Step, type StepState, type Story, type StoryParts } from "./story.ts";

/** The story of a payment: created, notices, paid, message, credited; marks, refund, debt, holds, differences. Pure. */

/** By the numbers of PayOrder.status. */
const states = ["waiting", "paying", "paid", "cancelled", "invalid", "refunded"] as const;
const stateOf = (status: number): string => states[status] ?? String(status);

const recharge = 1;
const refundType = 2;

/** The marks that say that a paid order is not credited, and the one of a refunded order that never was. */
const uncredited: ReadonlySet<string> = new Set(["topicMissing", "creditHeld", "creditChanged"]);
const neverCredited = "neverCredited";

/** The wallet's row of a payment: its credit or its refund. */
export function paymentTrade(wallet: WalletStory | undefined, what: "credit" | "refund"): StoryTrade | undefined {
  return wallet?.trades.find(({ type }) => type === (what === "credit" ? recharge : refundType));
}

interface Effects {
  /** Whether the order's coins must have been given, and taken back. */
  readonly credit: boolean;
  readonly refund: boolean;
}

function expectedEffects({ order, marks }: PayOrderStory): Effects {
  const state = stateOf(order.status);
  const has = (names: ReadonlySet<string>) => marks.some(({ mark }) => names.has(mark));
  const never = has(new Set([neverCredited]));
  return {
    credit: (state === "paid" && !has(uncredited)) || (state === "refunded" && !never),
    refund: state === "refunded" && !never,
  };
}

function createdStep({ order }: PayOrderStory): Step {
  const { createTime, amount, coins, productId, productName, payChannel, source } = order;
  return {
    ...{ what: "created", time: createTime, state: "done", service: "payment" },
    data: { amount, coins, productId, productName, payChannel, source },
  };
}

const isOpen = (status: number): boolean => stateOf(status) === "waiting" || stateOf(status) === "paying";

function noticeSteps({ order, webhooks, watch }: PayOrderStory): Step[] {
  const given = webhooks.map(({ time, channel, outcome, reason, transactionId, amount, asked }): Step => {
    const data = { channel, outcome, reason, transactionId, amount, asked: asked ? 1 : 0 };
    return { what: "notice", time, state: outcome === "refused" ? "failed" : "done", service: "payment", data };
  });
  // The watch of an order that is paid meanwhile is removed a little later.
  if (!watch || !isOpen(order.status)) return given;
  const { nextTime, expireTime, asked } = watch;
  return [
    ...given,
    { what: "notice", time: null, state: "waiting", service: "payment", data: { nextTime, expireTime, asked } },
  ];
}

function paidStep({ order }: PayOrderStory): Step {
  const { payTime, transactionId, status } = order;
  const state = stateOf(status);
  return {
    ...{ what: "paid", time: payTime, service: "payment" },
    state: payTime ? "done" : isOpen(status) ? "waiting" : "failed",
    data: { state, transactionId },
  };
}

function parkedSteps({ marks }: PayOrderStory): Step[] {
  return marks.map(({ mark, transactionId, since }) => ({
    ...{ what: "parked", time: since, service: "payment" },
    // `neverCredited` needs nobody; every other mark waits for a person.
    state: mark === neverCredited ? "done" : "waiting",
    data: { mark, transactionId },
  }));
}

/** The subjects of messages about coins, and the effect of each. */
const effectOf = (subject: string): "credit" | "refund" => (subject === "pay.refund" ? "refund" : "credit");

function messageStep(story: PayOrderStory, effect: "credit" | "refund", trade: StoryTrade | undefined): Step {
  const step = { what: "message", service: "payment" } as const;
  const kept = story.messages.find(({ subject }) => subject.startsWith("pay.") && effectOf(subject) === effect);
  const unconfirmed = story.unconfirmed.find((message) => message.effect === effect);
  const asked: Step["data"] = unconfirmed ? { asked: unconfirmed.asked, again: unconfirmed.again } : {};
  if (kept)
    return {
      ...step,
      ...{ time: kept.sentTime, state: kept.sentTime ? "done" : "waiting" },
      data: { effect, subject: kept.subject, sequence: kept.sequence, ...asked },
    };
  // The outbox keeps what it published for an hour. What is not confirmed is watched, and published again if need be.
  if (unconfirmed) return { ...step, time: null, state: "waiting", data: { effect, ...asked } };
  return { ...step, time: null, state: "notKept", data: { effect, confirmed: trade ? 1 : null } };
}

function eventSteps({ order, messages }: PayOrderStory): Step[] {
  const state = stateOf(order.status);
  const names = [...(order.payTime ? ["payment.paid"] : []), ...(state === "refunded" ? ["payment.refunded"] : [])];
  return names.map((name): Step => {
    const kept = messages.find(({ subject }) => subject === `event.${name}`);
    const state: StepState = kept ? (kept.sentTime ? "done" : "waiting") : "notKept";
    const data = { name, sequence: kept?.sequence ?? null };
    return { what: "event", time: kept?.sentTime ?? null, state, service: "payment", data };
  });
}

function creditedSteps(story: PayOrderStory, wallet: WalletStory, expected: Effects): Step[] {
  const step = { what: "credited", service: "wallet" } as const;
  const trade = paymentTrade(wallet, "credit");
  if (trade) {
    const { time, num, balanceAfter, status } = trade;
    return [{ ...step, time, state: status === 1 ? "done" : "failed", data: { coins: num, balanceAfter } }];
  }
  if (!expected.credit) return stateOf(story.order.status) === "paid" ? [{ ...step, ...held }] : [];
  const isOnItsWay = isUnsent(story, "credit");
  return [{ ...step, time: null, state: isOnItsWay ? "waiting" : "missing", data: {} }];
}

/** A paid order that a mark keeps from its credit. */
const held = { time: null, state: "waiting", data: {} } as const;

/** Whether the effect of a message is still to come. */
function isUnsent({ unconfirmed }: PayOrderStory, effect: "credit" | "refund"): boolean {
  return unconfirmed.some((message) => message.effect === effect);
}

function refundSteps({ order, refund }: PayOrderStory): Step[] {
  if (!refund) return [];
  const { state, origin, amount, reason, attempts, problem, time, acceptedTime, updateTime } = refund;
  const money: StepState = state === "done" ? "done" : state === "failed" ? "failed" : "waiting";
  return [
    {
      ...{ what: "refundAsked", time, state: "done", service: "payment" },
      data: { origin, amount, reason, transactionId: order.transactionId },
    },
    {
      ...{ what: "refunded", time: money === "waiting" ? null : updateTime, state: money, service: "payment" },
      data: { amount, state, attempts, problem, acceptedTime },
    },
  ];
}

/** What the refund took back of the coins, and what it could not. */
function takenSteps(story: PayOrderStory, wallet: WalletStory, expected: Effects): Step[] {
  const trade = paymentTrade(wallet, "refund");
  const step = { what: "refunded", service: "wallet" } as const;
  if (!trade && !expected.refund) return [];
  if (!trade) {
    return [
      { ...step, time: null, state: isUnsent(story, "refund") ? "waiting" : "missing", data: { effect: "coins" } },
    ];
  }
  const { time, num, status, balanceAfter } = trade;
  return [{ ...step, time, state: "done", data: { effect: "coins", coins: status === 1 ? -num : 0, balanceAfter } }];
}

function debtSteps({ debts }: WalletStory): Step[] {
  return debts.map(({ bizId, num, time }) => ({
    ...{ what: "debt", time, state: "done", service: "wallet" },
    data: { bizId, coins: Math.abs(num), change: num > 0 ? "left" : "paidOff" },
  }));
}

function differenceSteps({ differences }: PayOrderStory): Step[] {
  return differences.map(({ time, date, channel, kind, detail, resolvedTime, resolveReason }) => ({
    ...{ what: "difference", time, state: resolvedTime ? "done" : "waiting", service: "payment" },
    data: { date, channel, kind, detail, resolvedTime, resolveReason },
  }));
}

function stepsOf(story: PayOrderStory, wallet: WalletStory | undefined): Step[] {
  const expected = expectedEffects(story);
  const { payTime } = story.order;
  return [
    createdStep(story),
    ...noticeSteps(story).filter(({ time }) => time !== null),
    paidStep(story),
    ...noticeSteps(story).filter(({ time }) => time === null),
    ...(payTime ? parkedSteps(story) : []),
    ...(expected.credit ? [messageStep(story, "credit", paymentTrade(wallet, "credit"))] : []),
    ...(wallet ? creditedSteps(story, wallet, expected) : []),
    ...eventSteps(story),
    ...(payTime ? [] : parkedSteps(story)),
    ...refundSteps(story),
    ...(expected.refund ? [messageStep(story, "refund", paymentTrade(wallet, "refund"))] : []),
    ...(wallet ? [...takenSteps(story, wallet, expected), ...debtSteps(wallet), ...holdSteps(wallet)] : []),
    ...differenceSteps(story),
  ];
}

/** What the ledger alone has of a payment. */
function ledgerSteps(wallet: WalletStory): Step[] {
  const credit = paymentTrade(wallet, "credit");
  const refund = paymentTrade(wallet, "refund");
  const step = (what: "credited" | "refunded", { time, num, balanceAfter }: StoryTrade): Step => ({
    ...{ what, time, state: "done", service: "wallet", data: { coins: Math.abs(num), balanceAfter } },
  });
  return [
    ...(credit ? [step("credited", credit)] : []),
    ...(refund ? [step("refunded", refund)] : []),
    ...debtSteps(wallet),
    ...holdSteps(wallet),
  ];
}

/** The story of a payment, of which payment, the ledger, or both have something. */
export function paymentStory({ orderId, payment, wallet, proposals, letters }: StoryParts): Story {
  const steps = payment ? stepsOf(payment, wallet) : wallet ? ledgerSteps(wallet) : [];
  const away: Story["incomplete"] = [
    ...(payment === undefined ? (["payment"] as const) : []),
    ...(wallet === undefined ? (["wallet"] as const) : []),
    ...(proposals === undefined ? (["staff"] as const) : []),
  ];
  return {
    kind: "payment",
    orderId,
    userId: payment?.order.userId ?? wallet?.trades[0]?.userId ?? "",
    receiverId: null,
    roomId: null,
    title: payment ? (payment.order.productName ?? `#${payment.order.productId}`) : "",
    state: payment ? stateOf(payment.order.status) : (stateByLetters(letters) ?? "unknown"),
    steps: inOrder([...steps, ...letterSteps(letters), ...(proposals ?? []).map(proposalStep)]),
    proposals: [...(proposals ?? [])],
    incomplete: away,
    cut: (payment?.cut ?? false) || (wallet?.cut ?? false),
  };
}
