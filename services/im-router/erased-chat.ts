import { outage } from "../../broker/failure.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { bizCodes, frameCodes } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import { removalOf, takeOutOfHistory } from "./chat-removal.ts";

const script = luaScript("services/im-router/lua/chat-of-user.lua");

/** See `im-router.eraseChat`. Fails: unavailable. */
export async function eraseChatOf(
  redis: RedisState["redis"],
  { userId, roomIds }: { userId: string; roomIds: readonly number[] },
): Promise<number> {
  const begin = `{"code":${frameCodes.business},"body":{"msgId":`;
  let erased = 0;
  try {
    for (const roomId of roomIds) {
      const found = await redis.eval(script, 1, imKeys.roomLog(roomId), begin, userId, bizCodes.chat);
      for (const msgId of found as string[]) {
        // It may have left the history since.
        await takeOutOfHistory(redis, removalOf(msgId), { roomId, msgId, spared: [], always: true });
        erased++;
      }
    }
  } catch (error) {
    throw outage(error, { what: "the histories of rooms", userId });
  }
  return erased;
}
