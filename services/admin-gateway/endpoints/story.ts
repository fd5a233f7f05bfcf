import { z } from "zod";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { paymentStaffActions } from "../../payment/staff.contract.ts";
import { gatherStory } from "../story/gather.ts";
import { staffPartOf } from "../story/staff-part.ts";
import { stepNames, stepStates } from "../story/story.ts";
import { staffEndpoint } from "./endpoint.ts";

const nullableText = z.string().nullable();

const shownStep = z.object({
  what: z.enum(stepNames),
  time: nullableText,
  state: z.enum(stepStates).meta({
    description:
      "missing: it should be there and is not; notKept: it can be known no more; waiting: it is to come, or to be decided.",
  }),
  service: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});

const shownProposal = z.object({
  ...{ proposalId: z.string(), kind: z.string(), coins: z.int(), reason: z.string(), proposedBy: z.string() },
  ...{ createTime: z.string(), state: z.string(), decidedBy: nullableText, decidedTime: nullableText },
});

export const storyEndpoints = [
  staffEndpoint({
    path: "order/story",
    summary: "Everything that is known of an order, of a gift or of a payment, from the request to the frame",
    right: "read",
    params: fromHttp(paymentStaffActions.orderStory),
    result: z.object({
      kind: z.enum(["gift", "payment"]),
      orderId: z.string(),
      userId: shownUserId,
      receiverId: shownUserId.nullable(),
      roomId: z.int().nullable(),
      title: z.string(),
      state: z.string().meta({
        description:
          "Of a gift waiting, deadLetter, succeeded or failed; of a payment a state of order; givenUp, where a person gave " +
          "its dead letter up for ever; or unknown.",
      }),
      steps: z.array(shownStep),
      proposals: z.array(shownProposal),
      incomplete: z.array(z.string()).meta({
        description: "The services that did not answer: what they have is not in the steps.",
      }),
      cut: z.boolean().meta({ description: "There is more than the steps have." }),
    }),
    failures: ["giftOrderUnknown"],
    run: (ctx, { orderId }, { session }) => gatherStory(ctx, orderId, staffPartOf(ctx, orderId, session)),
  }),
];
