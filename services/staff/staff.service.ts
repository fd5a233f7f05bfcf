import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { SealedSecrets } from "../sealed-secrets.ts";
import { sealedAudit } from "../sealing.ts";
import { staffKeys } from "../staff-keys.ts";
import { eventStream } from "../streams.ts";
import { auditedLogin, auditPage, beginCall, finishCall } from "./calls.ts";
import { beginEnrolment, changePassword, finishEnrolment, login } from "./logins.ts";
import { PasswordHashes } from "./passwords.ts";
import { allPersons } from "./person-store.ts";
import { addPerson, changeRole, disablePerson, enablePerson, endSessions, resetPerson } from "./persons.ts";
import { staffPurge } from "./purge.ts";
import { endOwnSession, logout, managerOf, ownSessions, showSession } from "./sessions.ts";
import { staffActions } from "./staff.contract.ts";

interface State extends MysqlState, SealsState {
  hashes: PasswordHashes;
  secrets: SealedSecrets;
  purge: LeasedLoop;
}

/** Persons of the staff, their sessions, and the audit of what they do. */
export default defineService<"staff", State>({
  name: "staff",
  contract: staffActions,
  mixins: [
    mysqlMixin("staff", migrationFolders.staff),
    jetstreamMixin([eventStream]),
    outboxMixin,
    ...sealedAudit("staff"),
    healthMixin,
  ],

  actions: {
    login: {
      handler({ params, requestID }) {
        const { name, address } = params;
        const about = { name, address, route: "/live/admin/login", requestId: requestID };
        return auditedLogin(this, about, () => login(this, params));
      },
    },
    enrolBegin: {
      handler({ params }) {
        return beginEnrolment(this, params);
      },
    },
    enrolFinish: {
      handler({ params, requestID }) {
        const { name, address } = params;
        const about = { name, address, route: "/live/admin/enrol/finish", requestId: requestID };
        return auditedLogin(this, about, () => finishEnrolment(this, params));
      },
    },
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
    changePassword: {
      handler({ params }) {
        return changePassword(this, params);
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

    begin: {
      handler({ params }) {
        return beginCall(this, params);
      },
    },
    finish: {
      handler({ params }) {
        return finishCall(this, params);
      },
    },
    audit: {
      async handler(ctx) {
        await managerOf(this, ctx, "audit");
        return auditPage(this, ctx.params);
      },
    },

    persons: {
      async handler(ctx) {
        await managerOf(this, ctx, "persons");
        return { list: await allPersons(this.mysql) };
      },
    },
    addPerson: {
      operator: true,
      async handler(ctx) {
        await managerOf(this, ctx, "persons");
        return addPerson(this.mysql, ctx.params.name, ctx.params.role);
      },
    },
    setRole: {
      operator: true,
      async handler(ctx) {
        const { atConsole } = await managerOf(this, ctx, "persons");
        return changeRole(this.mysql, ctx.params.name, ctx.params.role, atConsole);
      },
    },
    disablePerson: {
      operator: true,
      async handler(ctx) {
        const { atConsole } = await managerOf(this, ctx, "persons");
        return disablePerson(this.mysql, ctx.params.name, atConsole);
      },
    },
    enablePerson: {
      operator: true,
      async handler(ctx) {
        await managerOf(this, ctx, "persons");
        return enablePerson(this.mysql, ctx.params.name);
      },
    },
    resetPerson: {
      operator: true,
      async handler(ctx) {
        const { atConsole } = await managerOf(this, ctx, "persons");
        return resetPerson(this.mysql, ctx.params.name, atConsole);
      },
    },
    endSessions: {
      operator: true,
      async handler(ctx) {
        await managerOf(this, ctx, "persons");
        return endSessions(this.mysql, ctx.params.name);
      },
    },
  },

  created() {
    // Here, so that a node without keys does not start.
    this.secrets = new SealedSecrets(staffKeys(), { owner: "staff", setting: "STAFF_KEYS" });
    this.hashes = new PasswordHashes();
  },

  started() {
    this.purge = staffPurge(this);
  },

  async stopped() {
    await this.purge?.stop();
  },
});
