import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { type ActionName, call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { Right } from "../staff-roles.ts";
import { carriedOut } from "./carried-out.contract.ts";
import { handledPage } from "./dead-letters/dead-letter-store.ts";
import { handleDeadLetter } from "./dead-letters/dead-letters.ts";
import { countProposals } from "./proposals/proposal-count-store.ts";
import { callerWith } from "./sessions.ts";
import type { staffActions } from "./staff.contract.ts";

type Actions = Pick<
  typeof staffActions,
  "replayDeadLetter" | "giveUpDeadLetter" | "handledDeadLetters" | "figures" | "carryOut"
>;

/** What persons do about dead letters and have carried out, which checks session and right, and what waits for them. */
export const workActions: ActionDefinitions<Service & MysqlState, Actions> = {
  replayDeadLetter: {
    async handler({ params: { session, ...wanted }, requestID }) {
      const { name: person } = await callerWith(this.mysql, session, "deadLetters");
      return handleDeadLetter(this, { ...wanted, decision: "replay", person, requestId: requestID });
    },
  },
  giveUpDeadLetter: {
    async handler({ params: { session, ...wanted }, requestID }) {
      const { name: person } = await callerWith(this.mysql, session, "deadLetters");
      return handleDeadLetter(this, { ...wanted, keyIsBack: false, decision: "giveUp", person, requestId: requestID });
    },
  },
  handledDeadLetters: {
    handler({ params }) {
      return handledPage(this.mysql, params);
    },
  },
  carryOut: {
    async handler(ctx) {
      const { session, what, params } = ctx.params;
      const { action, right }: { action: ActionName; right: Right } = carriedOut[what];
      const { name } = await callerWith(this.mysql, session, right);
      return call(ctx, action, { ...params, operator: `staff:${name}` } as never);
    },
  },
  figures: {
    async handler() {
      return { openProposals: (await countProposals(this.mysql)).open };
    },
  },
};
