import { fail } from "../../broker/failure.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { sealedAudit } from "../sealing.ts";
import { eventStream } from "../streams.ts";
import { staffActions } from "./staff.contract.ts";

interface State extends MysqlState, SealsState {}

const later = {
  handler(): never {
    throw fail("unavailable");
  },
};

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
    login: later,
    enrolBegin: later,
    enrolFinish: later,
    session: later,
    logout: later,
    changePassword: later,
    sessionsOf: later,
    endSession: later,
    begin: later,
    finish: later,
    audit: later,
    persons: later,
    addPerson: later,
    setRole: later,
    disablePerson: later,
    enablePerson: later,
    resetPerson: later,
    endSessions: later,
  },
});
