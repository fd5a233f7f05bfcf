import type { Service } from "moleculer";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { staffDeadLetterActions } from "../dead-letters.contract.ts";
import { callerWith } from "../sessions.ts";
import { handledPage } from "./dead-letter-store.ts";
import { handleDeadLetter } from "./dead-letters.ts";

/** What persons do about dead letters; each checks the session and the right itself. */
export const deadLetterActions: ActionDefinitions<Service & MysqlState, typeof staffDeadLetterActions> = {
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
};
