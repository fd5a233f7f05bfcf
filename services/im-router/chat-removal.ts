import { fail } from "../../broker/failure.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { type BusinessMessage, bizCodes, frameCodes, unnumberedFrame } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";

const script = luaScript("services/im-router/lua/remove-chat.lua");

/** 5564, without its sender. Its `msgId` is made of that of the chat message, so clients report it once. */
export function removalOf(msgId: string): Omit<BusinessMessage, "userId"> {
  return { msgId: `chat-removed:${msgId}`, bizCode: bizCodes.chatRemoved, data: { msgId } };
}

/**
 * Puts 5564 in the place of a chat message in its room's history, under its number. See `im-router.removeChat` for the
 * params. Fails: chatUnknown, notAllowed; rejects without Redis.
 */
export async function takeOutOfHistory(
  redis: RedisState["redis"],
  removal: ReturnType<typeof removalOf>,
  { roomId, msgId, spared, always }: { roomId: number; msgId: string; spared: readonly string[]; always: boolean },
): Promise<void> {
  const { head, tail } = unnumberedFrame(roomId, { ...removal, userId: "0" });
  const chat = `{"code":${frameCodes.business},"body":{"msgId":${JSON.stringify(msgId)},`;
  const keys = [imKeys.roomState(roomId), imKeys.roomLog(roomId)];
  const reply = await redis.eval(script, keys.length, ...keys, chat, head, tail, bizCodes.chat, ...spared);
  if (reply === 2) throw fail("notAllowed", { roomId, msgId });
  if (reply === 0 && !always) throw fail("chatUnknown", { roomId, msgId });
}
