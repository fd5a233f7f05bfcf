import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { imRouterActions } from "../../im-router/im-router.contract.ts";
import { livingRoomStaffActions, type StaffRoom } from "../../living-room/staff.contract.ts";
import { awayOf, foundUnlessAway, unlessAway } from "../answers.ts";
import { moderatorsOf, restrictionsOf } from "../restricted.ts";
import { staffEndpoint } from "./endpoint.ts";
import { shownRestriction } from "./restrictions.ts";

/** A room, live or closed. */
export const shownRoom = z.object({
  ...{ roomId: z.int(), externalRoomId: z.string().nullable(), anchorId: shownUserId },
  type: z.int().meta({ description: "1 normal, 2 PK" }),
  ...{ roomName: z.string(), live: z.boolean(), watchNum: z.int(), startTime: z.string() },
  ...{ endTime: z.string().nullable(), guestId: shownUserId.nullable() },
  closedBy: z.string().nullable().meta({ description: "Who of the staff closed it." }),
  closeReason: z.string().nullable(),
});

/** How many are connected to a live room now; `null` where that is not known. */
async function viewersOf(ctx: Parameters<typeof call>[0], room: StaffRoom): Promise<number | null | undefined> {
  if (!room.live) return 0;
  const { roomId, anchorId } = room;
  const rooms = [{ roomId, anchorId }];
  const attendance = await unlessAway(call(ctx, "im-router.attendance", { rooms, certain: false }));
  if (attendance === undefined) return undefined;
  return attendance.known ? (attendance.rooms[0]?.members ?? null) : null;
}

export const roomEndpoints = [
  staffEndpoint({
    path: "room/get",
    summary: "A room, live or closed, with its anchor, viewers, restrictions and moderators",
    right: "read",
    params: fromHttp(livingRoomStaffActions.roomForStaff),
    result: z.object({
      room: shownRoom,
      anchor: z.object({ userId: shownUserId, nickName: z.string(), avatar: z.string() }).nullable(),
      viewers: z.int().nullable().meta({ description: "Connected now; null where that is not known." }),
      restrictions: z
        .array(shownRestriction)
        .nullable()
        .meta({ description: "The newest that are in force; null where the user service did not answer." }),
      moderators: z.array(shownUserId).nullable(),
      incomplete: z.array(z.string()).meta({ description: "The services that did not answer." }),
    }),
    failures: ["roomNotLive"],
    async run(ctx, { roomId }) {
      const room = await call(ctx, "living-room.roomForStaff", { roomId });
      const [anchor, viewers, restrictions, moderators] = await Promise.all([
        foundUnlessAway(call(ctx, "user.profileForStaff", { userId: room.anchorId }), "userUnknown"),
        viewersOf(ctx, room),
        restrictionsOf(ctx, { roomId }),
        moderatorsOf(ctx, room.anchorId),
      ]);
      const { userId, nickName, avatar } = anchor ?? {};
      return {
        room,
        anchor: userId && nickName !== undefined ? { userId, nickName, avatar: avatar ?? "" } : null,
        viewers: viewers ?? null,
        restrictions: restrictions ?? null,
        moderators: moderators ?? null,
        incomplete: awayOf({ user: anchor && restrictions, "living-room": moderators, "im-router": viewers }),
      };
    },
  }),

  staffEndpoint({
    path: "room/chat",
    summary: "The chat that a room's history has, newest first",
    description: `The newest of ${limits.im.roomHistoryFrames} frames of the last ${limits.im.roomHistoryMs / 60_000} min; what was removed is not in it.`,
    right: "restrict",
    params: fromHttp(imRouterActions.roomChat),
    result: z.object({
      list: z.array(z.object({ msgId: z.string(), senderId: shownUserId, text: z.string() })),
    }),
    run: async (ctx, { roomId }) => ({ list: await call(ctx, "im-router.roomChat", { roomId }) }),
  }),

  staffEndpoint({
    path: "room/close",
    summary: "Closes a live room; its members are told and disconnected",
    description:
      "It cannot be undone: the anchor may open another room. `closed` is false where it was closed already.",
    right: "rooms",
    params: fromHttp(livingRoomStaffActions.closeForStaff, "operator"),
    result: z.object({
      ...{ roomId: z.int(), anchorId: shownUserId, externalRoomId: z.string().optional(), closed: z.boolean() },
    }),
    failures: ["roomNotLive"],
    run: (ctx, params, { operator }) => call(ctx, "living-room.closeForStaff", { ...params, operator }),
  }),
];
