import { z } from "zod";
import { fail, isFailure } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { fromHttp } from "../../http-fields.ts";
import { type StaffLogin, type StaffSession, staffActions } from "../../staff/staff.contract.ts";
import { right, staffRole } from "../../staff-roles.ts";
import { type SessionCookie, staffEndpoint } from "./endpoint.ts";

/** Logging in and out, the enrolment, and a person's own sessions and password. */

const shown = z.object({
  name: z.string(),
  role: staffRole,
  rights: z.array(right),
  csrf: z.string().meta({ description: "What a POST with the cookie needs in the header X-CSRF-Token." }),
  expiresTime: z.string(),
});
const inCookie = "The token is in the cookie `ovation_staff` alone; clients that are no browsers send it as Bearer.";

const view = ({ name, role, rights, csrf, expiresTime }: StaffSession) => ({
  ...{ name, role, rights: [...rights], csrf, expiresTime },
});

/** The token goes into the cookie, which no script of a page can read, and nowhere else. */
function opened(login: StaffLogin, cookie: SessionCookie) {
  cookie.set(login.session, login.expiresTime);
  return view(login);
}

/** The staff service has one failure for whatever was wrong of a login; here no password was asked for. */
async function bySetupCode<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isFailure(error, "staffLoginWrong") ? fail("setupCodeWrong") : error;
  }
}

export const loginEndpoints = [
  staffEndpoint({
    path: "login",
    summary: "Log in",
    description: `Opens a session of 12 hours. A code of the authenticator app is accepted once. ${inCookie}`,
    right: null,
    params: fromHttp(staffActions.login, "address"),
    result: shown,
    failures: ["staffLoginWrong", "tooMany"],
    run: async (ctx, params, { address, cookie }) =>
      opened(await call(ctx, "staff.login", { ...params, address }), cookie),
  }),
  staffEndpoint({
    path: "enrol/begin",
    summary: "The secret for the authenticator app of a person with a setup code",
    right: null,
    params: fromHttp(staffActions.enrolBegin, "address"),
    result: z.object({ totpUri: z.string() }),
    failures: ["setupCodeWrong", "tooMany"],
    run: (ctx, params, { address }) => bySetupCode(call(ctx, "staff.enrolBegin", { ...params, address })),
  }),
  staffEndpoint({
    path: "enrol/finish",
    summary: "Set the password, prove the app with its first code, and log in",
    right: null,
    description: inCookie,
    params: fromHttp(staffActions.enrolFinish, "address"),
    result: shown,
    failures: ["setupCodeWrong", "passwordWeak", "totpWrong", "tooMany"],
    run: async (ctx, params, { address, cookie }) =>
      opened(await bySetupCode(call(ctx, "staff.enrolFinish", { ...params, address })), cookie),
  }),
  staffEndpoint({
    path: "session",
    summary: "Who is logged in, with the CSRF token, which this needs not",
    right: "read",
    audited: false,
    csrf: false,
    params: {},
    result: shown,
    run: async (ctx, _params, { session }) => view(await call(ctx, "staff.session", { session })),
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
    params: fromHttp(staffActions.changePassword, "session", "address"),
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
    params: fromHttp(staffActions.endSession, "session"),
    result: z.null(),
    failures: ["sessionUnknown"],
    run: (ctx, params, { session }) => call(ctx, "staff.endSession", { ...params, session }),
  }),
];
