import { z } from "zod";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { fromHttp, nothing, shownUserId } from "../../http-fields.ts";
import { smsLoginIsOn } from "../../sms-login.ts";
import { userActions } from "../../user/user.contract.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** Each code is an SMS that costs money, so one address cannot request codes for any number of phones. */
function codesPerAddress(): number {
  const { LOGIN_CODES_PER_IP_PER_MINUTE: set, PROFILE } = config();
  return set ?? (PROFILE === "production" ? limits.user.smsCodesPerIpPerMinute : 0);
}

/** In the local profile all people and tests of a machine have one address. */
function failuresPerAddress(): number {
  const { LOGIN_FAILURES_PER_IP_PER_MINUTE: set, PROFILE } = config();
  return set ?? (PROFILE === "production" ? limits.user.failuresPerIpPerMinute : limits.user.localFailuresPerMinute);
}

const base = "/live/api/userLogin";

const bySms = [
  endpoint({
    path: `${base}/sendLoginCode`,
    summary: "Sends a login code to a phone",
    access: "public",
    params: fromHttp(userActions.sendLoginCode, "address"),
    result: z.object({ devCode: z.string().optional() }),
    failures: ["phoneMissing", "phoneMalformed", "smsTooOften", "smsPhoneLimit", "smsBudgetSpent"],
    perMinute: { address: codesPerAddress },
    run: (ctx, { phone }, { address }) => call(ctx, "user.sendLoginCode", { phone, address }),
  }),

  endpoint({
    path: `${base}/login`,
    summary: "Logs in with a code, registers an unknown phone, sets the login cookie",
    access: "public",
    params: fromHttp(userActions.login, "address"),
    result: z.object({ userId: shownUserId, token: z.string() }),
    failures: ["phoneMissing", "phoneMalformed", "smsCodeMalformed", "smsCodeExpired", "smsCodeWrong"],
    failuresPerMinute: {
      failures: ["smsCodeExpired", "smsCodeWrong"],
      address: failuresPerAddress,
    },
    async run(ctx, { phone, code }, { session, address }) {
      const { userId, token } = await call(ctx, "user.login", { phone, code, address });
      session.open(token);
      return { userId, token };
    },
  }),
];

const ofLogins = [
  endpoint({
    path: `${base}/logout`,
    summary: "Ends the login: the token is invalid afterwards",
    description:
      "Every node refuses the token, own or a JWT of the platform, within a second. After a 503 it may be repeated.",
    access: "public",
    params: {},
    result: nothing,
    async run(ctx, _params, { session }) {
      const revoked = await session.revoke({
        token: (token) => call(ctx, "user.logout", { token }),
        claims: (claims) => call(ctx, "user.revokeLogin", claims),
      });
      session.close(revoked);
      return null;
    },
  }),

  endpoint({
    path: `${base}/logoutAll`,
    summary: "Ends all logins of the user: every token issued until now is invalid afterwards",
    description:
      "Every node refuses the tokens within a second. A login after the answer is not affected; a user of the platform " +
      "needs a JWT that is issued 60 s after it or later. After a 503 it may be repeated.",
    access: "login",
    params: {},
    result: nothing,
    failures: ["userUnknown"],
    perMinute: { user: limits.http.logoutsOfAllPerUserPerMinute },
    async run(ctx, _params, { session, userId }) {
      session.close(await call(ctx, "user.logoutAll", { userId }));
      return null;
    },
  }),
];

/** With SMS_LOGIN=off the paths of logins by SMS are unknown. */
export const userLoginEndpoints: readonly Endpoint[] = [...(smsLoginIsOn() ? bySms : []), ...ofLogins];
