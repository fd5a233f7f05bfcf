import { z } from "zod";
import { failures, isFailureName } from "../../../config/errors.ts";
import type { Language } from "../../../mixins/http/wording.ts";
import { action } from "../../action-contract.ts";
import { call } from "../../contracts.ts";
import { integer, reason } from "../../fields.ts";
import { fromHttp, pageOf, shownUserId } from "../../http-fields.ts";
import { anyProposalId, proposalActions } from "../../staff/proposals.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

/** Proposals: moves of money by staff, and adjustments by API keys, that another person must approve. */

const state = z.enum(["open", "approved", "done", "refused", "declined", "expired"]);
const refusal = z.string().nullable().meta({ description: "Of refused: the name of the failure." });
const refusalText = z.string().nullable().meta({ description: "The failure in the language of the caller." });

/** With the refusal in words. */
function worded<Row extends { readonly refusal: string | null }>(row: Row, language: Language) {
  const text = isFailureName(row.refusal) ? failures[row.refusal][language] : row.refusal;
  return { ...row, refusalText: text };
}

const shownProposal = z.object({
  proposalId: z.string().meta({ description: "s and a number: of staff. p and a number: of an API key." }),
  kind: z.enum([
    ...(["refund", "release", "adjust", "payout", "hold", "releaseHold", "holdFree", "releaseFree", "erase"] as const),
    "platformAdjust",
  ]),
  userId: shownUserId,
  subject: z
    .string()
    .meta({ description: "The order id, or the id of the adjustment, payout or hold; of an erasure the user." }),
  coins: z.int().meta({ description: "Below 0 where an adjustment takes; points are rounded up." }),
  points: z.int().nullable(),
  anchorIds: z.array(z.string()).nullable().meta({ description: "Of the shares of a refunded order: whose." }),
  giveUp: z.boolean().nullable().meta({ description: "Of an erasure: whether what is left is given up." }),
  reason: z.string(),
  proposedBy: z.string().meta({ description: "The person, or key:<id> of an API key." }),
  createTime: z.string(),
  expiresTime: z.string().nullable(),
  ...{ state, refusal, refusalText },
  decidedBy: z.string().nullable(),
  decidedTime: z.string().nullable(),
  decisionReason: z.string().nullable(),
  mayDecide: z.boolean().meta({
    description: "Whether you may decide on it: never on your own, nor on one of somebody who is too near to you.",
  }),
});

const decided = z.object({
  proposalId: z.string(),
  state: state.meta({ description: "What it is now: of many decisions at once one counts." }),
  ...{ refusal, refusalText },
});

const { open: _open, ...listed } = fromHttp(proposalActions.proposals, "session");

export const proposalEndpoints = [
  staffEndpoint({
    path: "proposals/list",
    summary: "Proposals, newest first; with open 1 those alone on which nobody has decided",
    description: "With `subject`, an order id: every move of staff about it, also those that nobody had to approve.",
    right: "read",
    params: { ...fromHttp(action({ open: integer(0, 1).default(0) }).returns<never>()), ...listed },
    result: pageOf(shownProposal),
    async run(ctx, { open, ...params }, { session, language }) {
      const page = await call(ctx, "staff.proposals", { ...params, open: open === 1, session });
      return { ...page, list: page.list.map((proposal) => worded(proposal, language)) };
    },
  }),
  staffEndpoint({
    path: "proposals/approve",
    summary: "Approves a proposal of somebody else, which is carried out",
    right: "decide",
    params: { proposalId: anyProposalId, reason: reason.optional() },
    result: decided,
    failures: ["proposalUnknown", "ownProposal", "decidesLater"],
    run: async (ctx, params, { session, language }) =>
      worded(await call(ctx, "staff.decide", { ...params, approve: true, session }), language),
  }),
  staffEndpoint({
    path: "proposals/decline",
    summary: "Declines a proposal of somebody else, which moves nothing",
    right: "decide",
    params: { proposalId: anyProposalId, reason },
    result: decided,
    failures: ["proposalUnknown", "ownProposal", "decidesLater"],
    run: async (ctx, params, { session, language }) =>
      worded(await call(ctx, "staff.decide", { ...params, approve: false, session }), language),
  }),
];
