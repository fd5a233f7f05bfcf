import type { Service } from "moleculer";
import { eraseAuditParams } from "../../mixins/operator-audit/erase-params.ts";
import { eraseSent } from "../../mixins/outbox/erase-sent.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { erasureActions as contract, ErasureObstacle } from "../erasure.contract.ts";
import { eraseOrderTexts, hasOpenPayment } from "./erasure-store.ts";
import type { PaymentState } from "./payment-state.ts";

/** The part of payments in the erasure of a user. */

type Payment = Service & PaymentState;

const obstaclesOf = async ({ mysql }: Payment, userId: string): Promise<ErasureObstacle[]> =>
  (await hasOpenPayment(mysql, userId)) ? ["payment"] : [];

export const erasureActions: ActionDefinitions<Payment, typeof contract> = {
  erasureObstacles: {
    async handler(ctx) {
      return { obstacles: await obstaclesOf(this, ctx.params.userId) };
    },
  },

  eraseUser: {
    async handler(ctx) {
      const { userId } = ctx.params;
      const obstacles = await obstaclesOf(this, userId);
      if (obstacles.length > 0) return { obstacles };
      const orderIds = await eraseOrderTexts(this.mysql, userId);
      await eraseSent(this.mysql, [...orderIds]);
      await eraseAuditParams(this.mysql, orderIds.add(userId));
      return { obstacles: [] };
    },
  },
};
