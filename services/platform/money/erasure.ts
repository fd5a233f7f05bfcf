import type { Service } from "moleculer";
import { eraseAuditParams } from "../../../mixins/operator-audit/erase-params.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { erasureActions as contract, ErasureObstacle } from "../../erasure.contract.ts";
import type { MoneyState } from "./actions.ts";
import { hasOpenOrder } from "./erasure-store.ts";
import { eraseOrderReasons } from "./order-store.ts";

/** The part of money orders in the erasure of a user. */

type Platform = Service & MoneyState;

const obstaclesOf = async ({ mysql }: Platform, userId: string): Promise<ErasureObstacle[]> =>
  (await hasOpenOrder(mysql, userId)) ? ["move"] : [];

export const erasureActions: ActionDefinitions<Platform, typeof contract> = {
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
      await eraseOrderReasons(this.mysql, userId);
      await eraseAuditParams(this.mysql, new Set([userId]));
      return { obstacles: [] };
    },
  },
};
