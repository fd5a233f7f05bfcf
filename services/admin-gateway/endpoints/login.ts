import { z } from "zod";
import { call } from "../../contracts.ts";
import { staffActions } from "../../staff/staff.contract.ts";
import { right, staffRole } from "../../staff-roles.ts";
import { staffEndpoint } from "./endpoint.ts";

/** Logging in and out, the enrolment, and a person's own sessions and password. */

const sessionFields = {
  name: z.string(),
  role: staffRole,
  rights: z.array(right),
  csrf: z.string().meta({ description: "What a POST with the cookie needs in the header X-CSRF-Token." }),
  expiresTime: z.string(),
};
const sessionShown = z.object(sessionFields);
/** The token is in the cookie too, which pages use; other clients send it as Bearer. */
const opened = z.object({ session: z.string(), ...sessionFields });

const { name, password, totp } = staffActions.login.params.shape;
const { code } = staffActions.enrolFinish.params.shape;
const { newPassword } = staffActions.changePassword.params.shape;
const { sessionId } = staffActions.endSession.params.shape;

export const loginEndpoints = [
  staffEndpoint({
    path: "login",
    summary: "Log in",
    description: "Opens a session of 12 hours. A code of the authenticator app is accepted once.",
    right: null,
    params: { name, password, totp },
    result: opened,
    failures: ["staffLoginWrong", "tooMany"],
    async run(ctx, params, { address, cookie }) {
      const login = await call(ctx, "staff.login", { ...params, address });
      cookie.set(login.session, login.expiresTime);
      return { ...login, rights: [...login.rights] };
    },
  }),
  staffEndpoint({
    path: "enrol/begin",
    summary: "The secret for the authenticator app of a person with a setup code",
    right: null,
    params: { name, code },
    result: z.object({ totpUri: z.string() }),
    failures: ["staffLoginWrong", "tooMany"],
    run: (ctx, params, { address }) => call(ctx, "staff.enrolBegin", { ...params, address }),
  }),
  staffEndpoint({
    path: "enrol/finish",
    summary: "Set the password, prove the app with its first code, and log in",
    right: null,
    params: { name, code, password, totp },
    result: opened,
    failures: ["staffLoginWrong", "passwordWeak", "totpWrong", "tooMany"],
    async run(ctx, params, { address, cookie }) {
      const login = await call(ctx, "staff.enrolFinish", { ...params, address });
      cookie.set(login.session, login.expiresTime);
      return { ...login, rights: [...login.rights] };
    },
  }),
  staffEndpoint({
    path: "session",
    summary: "Who is logged in",
    right: "read",
    audited: false,
    params: {},
    result: sessionShown,
    async run(ctx, _params, { session }) {
      const shown = await call(ctx, "staff.session", { session });
      return { ...shown, rights: [...shown.rights] };
    },
  }),
  staffEndpoint({
    path: "logout",
    summary: "End this session",
    right: "read",
    params: {},
    result: z.null(),
    async run(ctx, _params, { session, cookie }) {
      await call(ctx, "staff.logout", { session });
      cookie.remove();
      return null;
    },
  }),
  staffEndpoint({
    path: "password/change",
    summary: "Change one's password; one's other sessions end",
    right: "read",
    params: { password, newPassword, totp },
    result: z.null(),
    failures: ["staffLoginWrong", "passwordWeak", "tooMany"],
    run: (ctx, params, { session, address }) => call(ctx, "staff.changePassword", { ...params, session, address }),
  }),
  staffEndpoint({
    path: "mySessions/list",
    summary: "One's own sessions, the latest first",
    right: "read",
    params: {},
    result: z.object({
      list: z.array(
        z.object({
          ...{ sessionId: z.string(), address: z.string(), createTime: z.string(), expiresTime: z.string() },
          current: z.boolean(),
        }),
      ),
    }),
    run: (ctx, _params, { session }) => call(ctx, "staff.sessionsOf", { session }),
  }),
  staffEndpoint({
    path: "mySessions/end",
    summary: "End one of one's own sessions",
    right: "read",
    params: { sessionId },
    result: z.null(),
    failures: ["sessionUnknown"],
    run: (ctx, params, { session }) => call(ctx, "staff.endSession", { ...params, session }),
  }),
] as const;
