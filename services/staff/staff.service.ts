import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import type { LeasedLoop } from "../../mixins/leased-loop.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { retentionLoop } from "../../mixins/retention/retention-loop.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { auditKeepDays } from "../retention-settings.ts";
import { SealedSecrets } from "../sealed-secrets.ts";
import { sealedAudit } from "../sealing.ts";
import { staffKeys } from "../staff-keys.ts";
import { eventStream } from "../streams.ts";
import { keptParams } from "./audit-store.ts";
import { auditedLogin, auditPage, beginCall, finishCall } from "./calls.ts";
import { erasureHandlers } from "./erasures/erasure-actions.ts";
import { erasureJob, erasureSettings, keepErasureGauges } from "./erasures/erasure-job.ts";
import { beginEnrolment, changePassword, finishEnrolment, login } from "./logins.ts";
import { PasswordHashes } from "./passwords.ts";
import { allPersons } from "./person-store.ts";
import { addPerson, changeRole, disablePerson, enablePerson, endSessions, resetPerson } from "./persons.ts";
import { proposalHandlers } from "./proposals/actions.ts";
import { type ProposalsState, proposalSettings, startProposals, stopProposals } from "./proposals/proposals-state.ts";
import { staffPurge } from "./purge.ts";
import { sessionActions } from "./session-actions.ts";
import { managerOf } from "./sessions.ts";
import { staffActions } from "./staff.contract.ts";
import { workActions } from "./work-actions.ts";

interface State extends ProposalsState {
  hashes: PasswordHashes;
  secrets: SealedSecrets;
  purge: LeasedLoop;
  retention: LeasedLoop;
  erasureJob: LeasedLoop;
  erasureGauges: BackgroundLoop;
}

/** Bounds that tests change. */
export interface StaffSettings {
  scryptCost: number;
}

/** Persons of the staff, their sessions, and the audit of what they do. */
export default defineService<"staff", State>({
  name: "staff",
  contract: staffActions,
  settings: { scryptCost: limits.staff.scryptCost, ...proposalSettings, ...erasureSettings } satisfies StaffSettings,
  mixins: [
    mysqlMixin("staff", migrationFolders.staff),
    jetstreamMixin([eventStream]),
    outboxMixin,
    ...sealedAudit("staff"),
    healthMixin,
  ],

  actions: {
    ...workActions,
    ...proposalHandlers,
    ...erasureHandlers,
    ...sessionActions,
    login: {
      handler({ params, requestID }) {
        const { name, address } = params;
        const about = { name, address, route: "/live/admin/login", requestId: requestID };
        return auditedLogin(this, about, () => login(this, params));
      },
    },
    enrolBegin: {
      handler({ params, requestID }) {
        const { name, address } = params;
        const about = { name, address, route: "/live/admin/enrol/begin", requestId: requestID };
        return auditedLogin(this, about, () => beginEnrolment(this, params));
      },
    },
    enrolFinish: {
      handler({ params, requestID }) {
        const { name, address } = params;
        const about = { name, address, route: "/live/admin/enrol/finish", requestId: requestID };
        return auditedLogin(this, about, () => finishEnrolment(this, params));
      },
    },
    changePassword: {
      handler({ params }) {
        return changePassword(this, params);
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
        const { name, role } = ctx.params;
        return addPerson(this.mysql, { name, role }, await managerOf(this, ctx, "persons"));
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
        return resetPerson(this.mysql, ctx.params.name, await managerOf(this, ctx, "persons"));
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
    this.hashes = new PasswordHashes((this.settings as StaffSettings).scryptCost);
  },

  started() {
    this.purge = staffPurge(this);
    this.retention = retentionLoop(this, [keptParams(auditKeepDays())]);
    startProposals(this);
    this.erasureJob = erasureJob(this);
    this.erasureGauges = keepErasureGauges(this);
  },

  async stopped() {
    await this.erasureGauges?.stop();
    await this.erasureJob?.stop();
    await stopProposals(this);
    await Promise.all([this.retention?.stop(), this.purge?.stop()]);
  },
});
