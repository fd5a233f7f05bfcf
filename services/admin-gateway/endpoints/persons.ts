import { z } from "zod";
import { call } from "../../contracts.ts";
import { personName } from "../../staff/staff.contract.ts";
import { staffRole } from "../../staff-roles.ts";
import { staffEndpoint } from "./endpoint.ts";

/** The persons of the staff. The staff service checks the session of who asks by itself. */

const setupCode = z.object({
  setupCode: z.string().meta({ description: "Shown this once; the person enrols with it within a day." }),
  expiresTime: z.string(),
});
const named = { name: personName };

export const personEndpoints = [
  staffEndpoint({
    path: "persons/list",
    summary: "Every person, by name",
    right: "persons",
    params: {},
    result: z.object({
      list: z.array(
        z.object({
          ...{ name: z.string(), role: staffRole, state: z.enum(["invited", "active", "disabled"]) },
          ...{ createTime: z.string(), lastLoginTime: z.string().nullable(), sessions: z.int() },
        }),
      ),
    }),
    run: (ctx, _params, { session, operator }) => call(ctx, "staff.persons", { session, operator }),
  }),
  staffEndpoint({
    path: "persons/add",
    summary: "Invite a person",
    right: "persons",
    params: { ...named, role: staffRole },
    result: setupCode,
    failures: ["personTaken", "business"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.addPerson", { ...params, session, operator }),
  }),
  staffEndpoint({
    path: "persons/role",
    summary: "Give a person another role, in force at their next call",
    right: "persons",
    params: { ...named, role: staffRole },
    result: z.null(),
    failures: ["personUnknown", "lastAdmin"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.setRole", { ...params, session, operator }),
  }),
  staffEndpoint({
    path: "persons/disable",
    summary: "Disable a person; their sessions end at once",
    right: "persons",
    params: named,
    result: z.null(),
    failures: ["personUnknown", "personState", "lastAdmin"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.disablePerson", { ...params, session, operator }),
  }),
  staffEndpoint({
    path: "persons/enable",
    summary: "Enable a person who was disabled",
    right: "persons",
    params: named,
    result: z.null(),
    failures: ["personUnknown", "personState"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.enablePerson", { ...params, session, operator }),
  }),
  staffEndpoint({
    path: "persons/reset",
    summary: "Take a person's password and app away, end their sessions, and give a new setup code",
    right: "persons",
    params: named,
    result: setupCode,
    failures: ["personUnknown", "personState", "lastAdmin"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.resetPerson", { ...params, session, operator }),
  }),
  staffEndpoint({
    path: "persons/endSessions",
    summary: "End a person's sessions",
    right: "persons",
    params: named,
    result: z.object({ ended: z.int() }),
    failures: ["personUnknown"],
    run: (ctx, params, { session, operator }) => call(ctx, "staff.endSessions", { ...params, session, operator }),
  }),
];
