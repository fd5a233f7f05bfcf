import type { Context } from "moleculer";
import { z } from "zod";
import { isFailure } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { fromHttp, nothing, shownUserId } from "../../http-fields.ts";
import { livingRoomActions } from "../../living-room/living-room.contract.ts";
import { endpoint } from "./endpoint.ts";

const base = "/live/api/living";

/** The room id in the answer of `anchorConfig` where there is no such live room. */
const noRoom = -1;

/** A room is also shown where its anchor has no profile. */
async function nickNameOf(ctx: Pick<Context, "call">, userId: string): Promise<string> {
  try {
    return (await call(ctx, "user.profile", { userId })).nickName;
  } catch (error) {
    if (isFailure(error, "userUnknown")) return "";
    throw error;
  }
}

export const livingEndpoints = [
  endpoint({
    path: `${base}/startingLiving`,
    summary: "Opens the user's live room; a second start returns the same room",
    access: "login",
    params: fromHttp(livingRoomActions.start, "userId"),
    result: z.object({ roomId: z.int() }),
    failures: ["roomTypeMissing", "startTooOften", "accountUnusable"],
    run: (ctx, { type, roomName }, { userId }) => call(ctx, "living-room.start", { userId, type, roomName }),
  }),

  endpoint({
    path: `${base}/closeLiving`,
    summary: "Closes a live room; only for its anchor",
    access: "login",
    params: fromHttp(livingRoomActions.close, "userId"),
    result: nothing,
    failures: ["notYourRoom", "closeTooOften"],
    run: (ctx, { roomId }, { userId }) => call(ctx, "living-room.close", { userId, roomId }),
  }),

  endpoint({
    path: `${base}/list`,
    summary: "Live rooms of a type, newest first",
    access: "login",
    params: fromHttp(livingRoomActions.list),
    result: z.object({
      list: z.array(
        z.object({
          id: z.int(),
          roomName: z.string(),
          anchorId: shownUserId,
          watchNum: z.int(),
          goodNum: z.int(),
          covertImg: z.string(),
        }),
      ),
      hasNext: z.boolean(),
    }),
    run: (ctx, params) => call(ctx, "living-room.list", params),
  }),

  endpoint({
    path: `${base}/anchorConfig`,
    summary: "A live room, its anchor and the caller; roomId -1 (anchorId, type null) where there is no such live room",
    access: "login",
    params: fromHttp(livingRoomActions.find),
    result: z.object({
      roomId: z.int(),
      anchorId: shownUserId.nullable(),
      userId: shownUserId,
      isAnchor: z.boolean(),
      type: z.int().nullable(),
      roomName: z.string(),
      nickName: z.string(),
      avatar: z.string(),
      anchorNickName: z.string(),
    }),
    failures: ["userUnknown"],
    async run(ctx, { roomId }, { userId }) {
      const [room, me] = await Promise.all([
        call(ctx, "living-room.find", { roomId }),
        call(ctx, "user.profile", { userId }),
      ]);
      const { nickName, avatar } = me;
      if (room === null) {
        const none = { roomId: noRoom, anchorId: null, type: null, isAnchor: false, roomName: "", anchorNickName: "" };
        return { ...none, userId, nickName, avatar };
      }
      const { anchorId, roomName, type } = room;
      const isAnchor = anchorId === userId;
      const anchorNickName = isAnchor ? nickName : await nickNameOf(ctx, anchorId);
      return { roomId: room.roomId, anchorId, userId, isAnchor, type, roomName, nickName, avatar, anchorNickName };
    },
  }),
];
