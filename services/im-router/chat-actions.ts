import type { Service } from "moleculer";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { routerBucketOf } from "../im-buckets.ts";
import { removalOf, takeOutOfHistory } from "./chat-removal.ts";
import { eraseChatOf } from "./erased-chat.ts";
import type { imRouterActions } from "./im-router.contract.ts";

/** What takes chat out of the histories of rooms. */
export const chatActions: ActionDefinitions<
  Service & RedisState,
  Pick<typeof imRouterActions, "removeChat" | "eraseChat">
> = {
  removeChat: {
    async handler(ctx) {
      const { roomId, msgId } = ctx.params;
      const removal = removalOf(msgId);
      await takeOutOfHistory(this.redis, removal, ctx.params);
      await call(ctx, "im-router.post", { bucket: routerBucketOf(roomId), roomId, senderId: "0", ...removal });
      return null;
    },
  },

  eraseChat: {
    async handler(ctx) {
      return { erased: await eraseChatOf(this.redis, ctx.params) };
    },
  },
};
