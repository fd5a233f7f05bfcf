import type { ServiceName } from "../../../broker/service-names.ts";
import type { GiftOrderStory } from "../../gift/staff.contract.ts";
import type { PayOrderStory } from "../../payment/staff.contract.ts";
import type { HandledDeadLetter } from "../../staff/dead-letters.contract.ts";
import type { WalletStory } from "../../wallet/staff.contract.ts";

/**
 * What an order's story is made of. Each service tells what it has; the modules of this folder put it together and ask
 * nobody. A part whose service did not answer is not in the story, and its service is in `incomplete`: nothing is shown
 * as if it had not happened (docs/decisions/0078-what-a-story-is-made-of.md).
 */

/**
 * - done: it happened.
 * - failed: it happened and did not succeed, or what was expected did not come.
 * - waiting: it is to come.
 * - missing: it should be there and certainly is not: look at it.
 * - notKept: it can be known no more.
 */
export const stepStates = ["done", "failed", "missing", "notKept", "waiting"] as const;
export type StepState = (typeof stepStates)[number];

export const stepNames = [
  ...["accepted", "charged", "recorded", "event", "frame", "notice", "deadLetter", "refundedWith", "hold"],
  ...["created", "paid", "parked", "message", "credited", "refundAsked", "refunded", "debt", "difference", "proposal"],
] as const;
export type StepName = (typeof stepNames)[number];

export interface Step {
  what: StepName;
  /** ISO 8601 in UTC; `null` where it is not known, or is to come. */
  time: string | null;
  state: StepState;
  service: ServiceName;
  data: Record<string, string | number | null>;
}

/** What another person has to approve about an order, or had to. */
export interface StoryProposal {
  proposalId: string;
  kind: string;
  coins: number;
  reason: string;
  proposedBy: string;
  createTime: string;
  state: string;
  decidedBy: string | null;
  decidedTime: string | null;
}

export interface Story {
  kind: "gift" | "payment";
  orderId: string;
  userId: string;
  receiverId: string | null;
  roomId: number | null;
  title: string;
  /**
   * Of a gift: waiting, deadLetter, succeeded, failed. Of a payment: a state of order. `givenUp`: a person gave its dead
   * letter up. `unknown`: see `incomplete`.
   */
  state: string;
  steps: Step[];
  proposals: StoryProposal[];
  /** Who did not answer: what they have is not in the steps. */
  incomplete: (ServiceName | "jetstream")[];
  /** There is more than the steps have. */
  cut: boolean;
}

/** What the services answered. `undefined`: it did not answer; `null`: it has nothing of this order. */
export interface StoryParts {
  readonly orderId: string;
  readonly gift: GiftOrderStory | null | undefined;
  readonly payment: PayOrderStory | null | undefined;
  readonly wallet: WalletStory | undefined;
  /** The frame of a gift that succeeded; left out where it was not asked for. */
  readonly frame?: { seq: number; epoch: string } | null | undefined;
  readonly proposals: readonly StoryProposal[] | undefined;
  /** Those on which persons have decided, the latest first. */
  readonly letters: readonly HandledDeadLetter[] | undefined;
}

/** A step of a proposal. */
export function proposalStep(proposal: StoryProposal): Step {
  const { proposalId, kind, coins, reason, proposedBy, state, decidedBy, decidedTime } = proposal;
  const isOpen = state === "open" || state === "approved";
  return {
    ...{ what: "proposal", time: proposal.createTime, service: "staff" },
    state: isOpen ? "waiting" : state === "done" ? "done" : "failed",
    data: { proposalId, kind, coins, reason, by: proposedBy, state, decidedBy, decidedTime },
  };
}

/** The holds of an order's anchors. */
export function holdSteps({ holds }: Pick<WalletStory, "holds">): Step[] {
  return holds.map(({ orderId, anchorId, coins, points, reason, time, releasedTime, releaseReason }) => ({
    ...{ what: "hold", time, state: "done", service: "wallet" },
    data: { orderId, anchorId, coins, points, reason, releasedTime, releaseReason },
  }));
}

/** The steps by their times. Those without a time stay behind the step that they were put after. */
export function inOrder(steps: readonly Step[]): Step[] {
  let last = "";
  const keyed = steps.map((step) => {
    last = step.time ?? last;
    return { step, time: step.time ?? last };
  });
  return keyed.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ step }) => step);
}
