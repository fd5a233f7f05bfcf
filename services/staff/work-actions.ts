import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { handledPage } from "./dead-letters/dead-letter-store.ts";
import { handleDeadLetter } from "./dead-letters/dead-letters.ts";
import { countProposals } from "./proposals/proposal-store.ts";
import { callerWith } from "./sessions.ts";
import type { staffActions } from "./staff.contract.ts";

type Actions = Pick<typeof staffActions, "replayDeadLetter" | "giveUpDeadLetter" | "handledDeadLetters" | "figures">;

/** What persons do about dead letters, which checks the session and the right itself, and what waits for them. */
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
  figures: {
    async handler() {
      return { openProposals: (await countProposals(this.mysql)).open };
    },
  },
};
