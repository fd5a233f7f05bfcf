import type { Service } from "moleculer";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { erasureStaffActions } from "../erasures.contract.ts";
import { callerWith } from "../sessions.ts";
import { erasureOf } from "./erasure-store.ts";
import { obstaclesOf } from "./erasures.ts";

/** What persons see of erasures; they ask for one by `moveMoney` with kind erase. */
export const erasureHandlers: ActionDefinitions<Service & MysqlState, typeof erasureStaffActions> = {
  erasure: {
    async handler(ctx) {
      const { session, userId } = ctx.params;
      await callerWith(this.mysql, session, "read");
      const begun = await erasureOf(this.mysql, userId);
      if (begun && begun.state !== "closing") {
        const { problem, createTime, erasedTime } = begun;
        const state = begun.state === "erased" ? "erased" : "erasing";
        return {
          ...{ state, obstacles: [], problem, beganTime: createTime.toISOString() },
          erasedTime: erasedTime?.toISOString() ?? null,
        };
      }
      const obstacles = await obstaclesOf(ctx, this, { userId, giveUp: false });
      return { state: null, obstacles, problem: null, beganTime: null, erasedTime: null };
    },
  },
};
