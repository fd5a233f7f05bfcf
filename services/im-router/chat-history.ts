import { outage } from "../../broker/failure.ts";
import { fieldsOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { bizCodes } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import type { ShownChat } from "./staff.contract.ts";

/** The chat message of a frame; `undefined` of every other frame, and of what is none. */
function chatOf(frame: string): ShownChat | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(frame);
  } catch {
    // Whoever may write the history may have put it there: it is no chat.
    return undefined;
  }
  const { msgId, userId, bizCode, data } = fieldsOf(fieldsOf(parsed)?.body) ?? {};
  const content = fieldsOf(data)?.content;
  if (bizCode !== bizCodes.chat || typeof msgId !== "string" || typeof userId !== "string") return undefined;
  if (!isId(msgId) || !isUser(userId) || typeof content !== "string") return undefined;
  return { msgId, senderId: userId, text: [...content].slice(0, limits.im.chatChars).join("") };
}

/** As `chat/remove` and the users' ids take them: what else stands there nobody could act on. */
const isId = (msgId: string): boolean => /^[\w-]{1,64}$/.test(msgId);
const isUser = (userId: string): boolean => /^[1-9]\d{0,19}$/.test(userId);

/** The chat that a room's history has, newest first. Fails: unavailable. */
export async function roomChat(redis: RedisState["redis"], roomId: number): Promise<ShownChat[]> {
  let frames: string[];
  try {
    frames = await redis.zrange(imKeys.roomLog(roomId), -limits.im.roomHistoryFrames, -1);
  } catch (error) {
    throw outage(error, { what: "the history of a room", roomId });
  }
  return frames
    .map(chatOf)
    .filter((chat) => chat !== undefined)
    .toReversed();
}
