import { z } from "zod";
import { fail } from "../../../broker/failure.ts";
import { call } from "../../contracts.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { type LiveRoom, livingRoomActions } from "../../living-room/living-room.contract.ts";
import { serverEndpoint } from "./server-endpoint.ts";

const shownRoom = z.object({
  roomId: z.int(),
  anchorId: shownUserId,
  type: z.int().meta({ description: "1 normal, 2 PK" }),
  roomName: z.string(),
});

/** The room for the platform. Its external id is in the room itself: what this node keeps of ids may be a second old. */
const shown = ({ guestId: _guest, ...room }: LiveRoom) => room;

export const roomEndpoints = [
  serverEndpoint({
    path: "rooms/open",
    summary: "The live room of a user, opened where there is none",
    description:
      "A user has one live room at most. Where it is open already, `opened` is false and `type` and `roomName` stay. A " +
      "live room without an `externalRoomId` gets the given one. With another `externalRoomId` than the anchor's live room " +
      "has the request is refused: close that room first (`rooms/ofAnchor` tells which it is). It is also refused where " +
      "another anchor's live room has the `externalRoomId`. A repeat gets the room of the first request, also where that " +
      "is closed since. After a room is closed its `externalRoomId` is free for the next one. The room of an anchor who " +
      "never connects over IM stays open until `rooms/close`.",
    scope: "rooms:write",
    write: true,
    refers: { userId: "user" },
    params: fromHttp(livingRoomActions.openForPlatform, "userId", "writeId"),
    result: shownRoom.extend({ opened: z.boolean() }),
    failures: ["roomTypeMissing", "accountUnusable", "anchorElsewhere", "externalRoomTaken"],
    async run(ctx, params, { writeId }) {
      const { room, opened } = await call(ctx, "living-room.openForPlatform", { ...params, writeId });
      return { ...shown(room), opened };
    },
  }),

  serverEndpoint({
    path: "rooms/close",
    summary: "Closes a live room, whoever's it is",
    description:
      "An `externalRoomId` means the live room that has it, or else the last closed one. `closed` is false where the room " +
      "was closed already. A repeat never closes a later room with the same `externalRoomId`.",
    scope: "rooms:write",
    write: true,
    refers: { roomId: "lastRoom" },
    params: {},
    result: z.object({ roomId: z.int(), anchorId: shownUserId, closed: z.boolean() }),
    run(ctx, { roomId, externalRoomId }, { writeId }) {
      const key = externalRoomId === undefined ? { roomId } : { externalRoomId };
      return call(ctx, "living-room.closeForPlatform", { ...key, writeId });
    },
  }),

  serverEndpoint({
    path: "rooms/get",
    summary: "A live room by either id",
    scope: "rooms:read",
    refers: { roomId: "room" },
    params: {},
    result: shownRoom,
    async run(ctx, { roomId }) {
      const room = await call(ctx, "living-room.find", { roomId });
      if (!room) throw fail("roomNotLive", { roomId });
      return shown(room);
    },
  }),

  serverEndpoint({
    path: "rooms/ofAnchor",
    summary: "The live room of a user",
    scope: "rooms:read",
    refers: { userId: "user" },
    params: {},
    result: shownRoom,
    failures: ["roomNotLive"],
    async run(ctx, { userId }) {
      const room = await call(ctx, "living-room.ofAnchor", { userId });
      if (!room) throw fail("roomNotLive", { userId });
      return shown(room);
    },
  }),
];
