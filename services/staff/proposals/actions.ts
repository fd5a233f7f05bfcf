import type { Service } from "moleculer";
import { call } from "../../contracts.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import { roleHas } from "../../staff-roles.ts";
import { deciderOf, requireDecider } from "../deciders.ts";
import type { proposalActions } from "../proposals.contract.ts";
import { callerWith } from "../sessions.ts";
import { rightFor } from "./instruction.ts";
import { proposalPage, stateOfOrder } from "./proposal-page.ts";
import type { ProposalsState } from "./proposals-state.ts";

/** Moves of money by persons of the staff; each checks the session and the right itself. */
export const proposalHandlers: ActionDefinitions<Service & ProposalsState, typeof proposalActions> = {
  moveMoney: {
    async handler(ctx) {
      const { session, move } = ctx.params;
      const { name } = await callerWith(this.mysql, session, rightFor[move.kind]);
      return this.proposals.move(ctx, name, move);
    },
  },
  proposals: {
    async handler(ctx) {
      const { session, ...page } = ctx.params;
      const { name, role } = await callerWith(this.mysql, session, "read");
      const { near, from } = await deciderOf(this.mysql, name);
      return proposalPage(ctx, this.mysql, page, { near, decides: roleHas(role, "decide") && from === null });
    },
  },
  decide: {
    async handler(ctx) {
      const { session, proposalId, approve, reason } = ctx.params;
      const { name } = await callerWith(this.mysql, session, "decide");
      const decider = await requireDecider(this.mysql, name);
      const id = proposalId.slice(1);
      if (proposalId.startsWith("s")) {
        const decision = { id, approve, reason: reason ?? null };
        const { state, refusal } = await this.proposals.decide(ctx, decider, decision);
        return { proposalId, state, refusal };
      }
      const decision = {
        proposalId: id,
        approve,
        ...{ operator: `staff:${name}`, near: [...decider.near] },
        ...(reason === undefined ? {} : { reason }),
      };
      const { state, refusal } = await call(ctx, "platform.decide", decision);
      return { proposalId, state: stateOfOrder(state), refusal };
    },
  },
};
