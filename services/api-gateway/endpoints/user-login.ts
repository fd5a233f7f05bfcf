import { z } from "zod";
import { call } from "../../contracts.ts";
import { endpoint } from "./endpoint.ts";
import { nothing, shownUserId, typed } from "./fields.ts";

const base = "/live/api/userLogin";

export const userLoginEndpoints = [
  endpoint({
    path: `${base}/sendLoginCode`,
    summary: "Sends a login code to a phone",
    access: "public",
    params: { phone: typed },
    result: z.object({ devCode: z.string().optional() }),
    failures: ["phoneMissing", "phoneMalformed", "smsTooOften"],
    run: (ctx, { phone }) => call(ctx, "user.sendLoginCode", { phone }),
  }),

  endpoint({
    path: `${base}/login`,
    summary: "Logs in with a code, registers an unknown phone, sets the login cookie",
    access: "public",
    params: { phone: typed, code: typed },
    result: z.object({ userId: shownUserId, token: z.string() }),
    failures: ["phoneMissing", "phoneMalformed", "smsCodeMalformed", "smsCodeExpired", "smsCodeWrong"],
    async run(ctx, { phone, code }, { session }) {
      const { userId, token } = await call(ctx, "user.login", { phone, code });
      session.open(token);
      return { userId, token };
    },
  }),

  endpoint({
    path: `${base}/logout`,
    summary: "Ends the login: the token is dead afterwards",
    access: "public",
    params: {},
    result: nothing,
    async run(ctx, _params, { session }) {
      if (session.token !== undefined) await call(ctx, "user.logout", { token: session.token });
      session.close();
      return null;
    },
  }),
];
