import { z } from "zod";
import { call } from "../../contracts.ts";
import { shownUserId } from "../../http-fields.ts";
import { endpoint } from "./endpoint.ts";

export const homeEndpoints = [
  endpoint({
    path: "/live/api/home/initPage",
    summary: "Who is logged in",
    access: "login",
    params: {},
    result: z.object({
      loginStatus: z.boolean(),
      userId: shownUserId,
      nickName: z.string(),
      avatar: z.string(),
      showStartLivingBtn: z.boolean(),
    }),
    failures: ["userUnknown"],
    async run(ctx, _params, { userId }) {
      const { nickName, avatar } = await call(ctx, "user.profile", { userId });
      return { loginStatus: true, userId, nickName, avatar, showStartLivingBtn: true };
    },
  }),
];
