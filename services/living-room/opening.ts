import type { Context, Service } from "moleculer";
import { broadcast, call } from "../contracts.ts";
import { openRoom } from "./broadcasting.ts";
import { requireUsable } from "./frozen-anchors.ts";
import type { LiveRoom } from "./living-room.contract.ts";
import { defaultRoomName, givenRoomName, requireRoomType } from "./room-form.ts";
import type { RoomState } from "./room-state.ts";

interface Wanted {
  readonly userId: string;
  readonly type: number;
  readonly roomName?: string | undefined;
  readonly externalRoomId?: string | undefined;
  readonly writeId?: string | undefined;
}

/**
 * The user's live room, opened where there is none; every node is told of a change. Fails: as `openRoom`;
 * roomTypeMissing, invalidParam, accountUnusable, banned; unavailable, also where the wallet or the user service is away.
 */
export async function openLiveRoom(
  rooms: Service & RoomState,
  ctx: Pick<Context, "call" | "requestID">,
  { userId, type, roomName, externalRoomId, writeId }: Wanted,
): Promise<{ room: LiveRoom; opened: boolean }> {
  requireRoomType(type);
  await requireUsable(ctx, userId);
  const { room, opened, changed } = await openRoom(rooms, {
    anchorId: userId,
    type,
    name: async () =>
      givenRoomName(roomName) ?? defaultRoomName((await call(ctx, "user.profile", { userId })).nickName),
    externalRoomId,
    writeId,
    requestId: ctx.requestID,
  });
  if (changed) await broadcast(rooms.broker, "living-room.changed", { roomId: room.roomId });
  const about = { roomId: room.roomId, anchorId: userId, externalRoomId: room.externalRoomId };
  rooms.logger.info({ ...about, opened, requestId: ctx.requestID }, "room started");
  return { room, opened };
}
