import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { userActions } from "../../user/user.contract.ts";
import { externalUsers } from "./directory.ts";
import { serverEndpoint } from "./server-endpoint.ts";

export const userEndpoints = [
  serverEndpoint({
    path: "users/upsert",
    summary: "Makes the user of the platform's id, or changes the name and the avatar",
    description:
      "Left out, name and avatar stay as they are; a new user without a name gets one. " +
      "A request that is repeated after its node died writes its own names again, over later ones.",
    scope: "users:write",
    write: true,
    params: fromHttp(userActions.ofExternal, "issuedAt"),
    result: z.object({ userId: shownUserId }),
    async run(ctx, params) {
      const { userId } = await call(ctx, "user.ofExternal", params);
      externalUsers(ctx.broker).learn({ externalId: params.externalId, userId });
      return { userId };
    },
  }),

  serverEndpoint({
    path: "users/get",
    summary: "A user by either id",
    scope: "users:read",
    refers: { userId: "user" },
    params: {},
    result: z.object({ userId: shownUserId, nickName: z.string(), avatar: z.string() }),
    async run(ctx, { userId }) {
      const { nickName, avatar } = await call(ctx, "user.profile", { userId });
      return { userId, nickName, avatar };
    },
  }),
];
