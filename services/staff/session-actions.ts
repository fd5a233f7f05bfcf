import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { endOwnSession, logout, ownSessions, showSession } from "./sessions.ts";
import type { staffActions } from "./staff.contract.ts";

type Actions = Pick<typeof staffActions, "session" | "logout" | "sessionsOf" | "endSession">;

/** What a person does with her own sessions. */
export const sessionActions: ActionDefinitions<Service & MysqlState, Actions> = {
  session: {
    handler({ params }) {
      return showSession(this.mysql, params.session);
    },
  },
  logout: {
    handler({ params }) {
      return logout(this.mysql, params.session);
    },
  },
  sessionsOf: {
    handler({ params }) {
      return ownSessions(this.mysql, params.session);
    },
  },
  endSession: {
    handler({ params }) {
      return endOwnSession(this.mysql, params.session, params.sessionId);
    },
  },
};
