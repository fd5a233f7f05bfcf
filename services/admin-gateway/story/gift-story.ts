import type { GiftOrderStory } from "../../gift/staff.contract.ts";
import type { StoryTrade, WalletStory } from "../../wallet/staff.contract.ts";
import { letterSteps, stateByLetters } from "./letters.ts";
import { holdSteps, inOrder, proposalStep, type Step, type Story, type StoryParts } from "./story.ts";

/** The story of a gift: accepted, charged, recorded, event, frame or notice; and what became of it later. Pure. */

const giftType = 0;

/** The posting by which the wallet charged the order, succeeded or not. */
export const chargeOf = (wallet: WalletStory | undefined, orderId: string): StoryTrade | undefined =>
  wallet?.trades.find(({ bizId, type }) => bizId === orderId && type === giftType);

function acceptedStep({ accepted, madeOf, queue, giftId, count, price }: GiftOrderStory): Step {
  const { time, clock } = accepted;
  const place: Step["data"] = queue ? { stream: queue.stream, sequence: queue.sequence, before: queue.before } : {};
  return {
    ...{ what: "accepted", time, state: "done", service: "gift" },
    data: { clock, orderIdOf: madeOf, giftId, count, price, ...place },
  };
}

/** `isSettled`: the gift service has the record, so the ledger must have the charge. */
function chargedStep(trade: StoryTrade | undefined, isSettled: boolean): Step {
  const step = { what: "charged", service: "wallet" } as const;
  if (!trade) return { ...step, time: null, state: isSettled ? "missing" : "waiting", data: {} };
  const { time, status, num, incomePoints, balanceAfter, reason } = trade;
  const data = { coins: -num, incomePoints, balanceAfter, reason };
  return { ...step, time, state: status === 1 ? "done" : "failed", data };
}

function recordedStep({ record, state }: GiftOrderStory): Step {
  const step = { what: "recorded", service: "gift" } as const;
  if (!record) return { ...step, time: null, state: "waiting", data: {} };
  const { time, id, reason, income, incomePoints } = record;
  return { ...step, time, state: "done", data: { recordId: id, outcome: state, reason, income, incomePoints } };
}

function eventSteps({ event }: GiftOrderStory): Step[] {
  if (!event) return [];
  const { state, time, sequence } = event;
  return [{ what: "event", time, state, service: "gift", data: { name: "gift.settled", sequence } }];
}

/** What the sender or the room sees of it. `frame` undefined: the router did not answer. */
function shownSteps({ state, event }: GiftOrderStory, frame: StoryParts["frame"]): Step[] {
  const isToCome = event?.state === "waiting";
  // The notification is kept until the client acks it, and the ack leaves nothing.
  if (state === "failed")
    return [
      {
        ...{ what: "notice", time: null, state: isToCome ? "waiting" : "notKept", service: "notification" },
        data: { bizCode: 5557 },
      },
    ];
  const step = { what: "frame", time: null, service: "im-router" } as const;
  if (frame) return [{ ...step, state: "done", data: { seq: frame.seq, epoch: frame.epoch } }];
  if (state !== "succeeded") return [{ ...step, state: "waiting", data: {} }];
  return frame === null ? [{ ...step, state: isToCome ? "waiting" : "notKept", data: {} }] : [];
}

/** Where a person has begun to decide on it, the step of the decision tells of it. */
function deadLetterSteps({ deadLetter }: GiftOrderStory, letters: StoryParts["letters"]): Step[] {
  if (!deadLetter || letters?.some(({ id, time }) => id === deadLetter.id && time === deadLetter.time)) return [];
  const { id, time, reason } = deadLetter;
  return [{ what: "deadLetter", time, state: "failed", service: "gift", data: { id, reason } }];
}

function refundedWithSteps({ refundedWith }: WalletStory): Step[] {
  return refundedWith.map(({ orderId, coins, points, state, time }) => ({
    ...{ what: "refundedWith", time, state: "done", service: "wallet" },
    data: { orderId, coins, points, share: state },
  }));
}

/**
 * The story of a gift, of which the gift service, the ledger, or both have something. Without the gift service it is what
 * the ledger has.
 */
export function giftStory(parts: StoryParts): Story {
  const { orderId, gift, wallet, frame, proposals, letters } = parts;
  const trade = chargeOf(wallet, orderId);
  const isSettled = gift?.record != null;
  // In the queue or in the dead letters it may still be handled, whatever became of an earlier message of it.
  const isThere = isSettled || gift?.queue != null || gift?.deadLetter != null;
  const decided = isThere ? undefined : stateByLetters(letters);
  const isOver = decided === "givenUp";
  const own = gift ? [acceptedStep(gift), ...deadLetterSteps(gift, letters)] : [];
  // The ledger has a charge of which the gift service knows nothing.
  const lost: Step[] =
    gift === null && trade ? [{ what: "recorded", time: null, state: "missing", service: "gift", data: {} }] : [];
  const steps = [
    ...own,
    ...letterSteps(letters),
    ...(wallet && (trade || (gift && !isOver)) ? [chargedStep(trade, isSettled)] : []),
    ...(gift && !isOver ? [recordedStep(gift), ...eventSteps(gift), ...shownSteps(gift, frame)] : lost),
    ...(wallet ? [...refundedWithSteps(wallet), ...holdSteps(wallet)] : []),
    ...(proposals ?? []).map(proposalStep),
  ];
  const isFrameAsked = gift?.state === "succeeded";
  const away: Story["incomplete"] = [
    ...(gift === undefined ? (["gift"] as const) : []),
    ...(gift?.event === null ? (["jetstream"] as const) : []),
    ...(wallet === undefined ? (["wallet"] as const) : []),
    ...(isFrameAsked && frame === undefined ? (["im-router"] as const) : []),
    ...(proposals === undefined ? (["staff"] as const) : []),
  ];
  return {
    kind: "gift",
    orderId,
    userId: gift?.senderId ?? trade?.userId ?? "",
    receiverId: gift?.receiverId ?? trade?.counterpartyId ?? null,
    roomId: gift?.roomId ?? null,
    title: gift ? `${gift.giftName ?? `#${gift.giftId}`} × ${gift.count}` : "",
    state: decided ?? gift?.state ?? "unknown",
    steps: gift ? steps : inOrder(steps),
    proposals: [...(proposals ?? [])],
    incomplete: away,
    cut: wallet?.cut ?? false,
  };
}
