import type { Context, Service } from "moleculer";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { moneyActions } from "../money.contract.ts";
import type { MoneyOrders } from "./money-orders.ts";
import { staffIds, staffKey } from "./order.ts";
import { requirePresentedKey } from "./presented-key.ts";
import { readProposals } from "./proposal-store.ts";

export interface MoneyState extends MysqlState {
  moneyOrders: MoneyOrders;
}

/** The actions of money that the platform orders. */
export const moneyHandlers: ActionDefinitions<Service & MoneyState, typeof moneyActions> = {
  credit: {
    async handler({ params: { apiKey, userId, coins, externalOrderId } }) {
      const keyId = await requirePresentedKey(this.mysql, apiKey, "wallet:credit");
      const content = { kind: "credit", externalId: externalOrderId, userId, amount: coins } as const;
      const placed = await this.moneyOrders.place({ ...content, reason: null, keyId });
      if (placed.status !== "done") throw new Error("a credit is no proposal");
      return { userId, balanceAfter: placed.balanceAfter };
    },
  },
  adjust: {
    async handler({ params: { apiKey, userId, coins, reason, writeId } }) {
      const keyId = await requirePresentedKey(this.mysql, apiKey, "wallet:adjust");
      const content = { kind: "adjust", externalId: writeId, userId, amount: coins } as const;
      const placed = await this.moneyOrders.place({ ...content, reason, keyId });
      return placed.status === "done"
        ? { userId, balanceAfter: placed.balanceAfter }
        : { userId, proposalId: placed.proposalId, state: placed.state };
    },
  },
  payout: {
    async handler({ params: { apiKey, userId, points, payoutId } }) {
      const keyId = await requirePresentedKey(this.mysql, apiKey, "wallet:payout");
      const content = { kind: "payout", externalId: payoutId, userId, amount: points } as const;
      await this.moneyOrders.place({ ...content, reason: null, keyId });
      return { userId };
    },
  },
  countStaffMove: {
    async handler({ params }) {
      return { needsApproval: await this.moneyOrders.countStaffMove(params) };
    },
  },
  renewStaffMove: {
    async handler({ params }) {
      await this.moneyOrders.renewStaffMove(params.moveId);
      return null;
    },
  },
  uncountStaffMove: {
    async handler({ params }) {
      await this.moneyOrders.uncountStaffMove(params.moveId);
      return null;
    },
  },
  adjustByStaff: {
    operator: true,
    async handler({ params: { moveId, userId, coins, reason } }) {
      const content = { kind: "adjust", externalId: `${staffIds}${moveId}`, userId, amount: coins } as const;
      const placed = await this.moneyOrders.place({ ...content, reason, keyId: staffKey });
      if (placed.status !== "done") throw new Error("an adjustment by staff is no proposal of this service");
      return { userId, balanceAfter: placed.balanceAfter };
    },
  },
  decide: {
    operator: true,
    async handler({ params: { proposalId: id, approve, reason = null, operator: decidedBy, near } }) {
      const { state, refusal } = await this.moneyOrders.decide({ id, approve, decidedBy, near, reason });
      return { proposalId: id, state, refusal };
    },
  },
  proposals: {
    async handler({ params }: Context<{ open: boolean; cursor?: string; limit: number }>) {
      const list = await readProposals(this.mysql, { ...params, limit: params.limit + 1 });
      const page = list.slice(0, params.limit);
      return { list: page, nextCursor: list.length > params.limit ? (page.at(-1)?.proposalId ?? null) : null };
    },
  },
};
