import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { broadcast, call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { closeForPlatform, type RoomKey } from "./broadcasting.ts";
import type { livingRoomActions } from "./living-room.contract.ts";
import { openLiveRoom } from "./opening.ts";
import { externalIdsOfClosed, lastClosedByExternalIds } from "./record-store.ts";
import type { RoomState } from "./room-state.ts";
import { roomByAnchor, roomsByExternalIds, roomsByIds } from "./room-store.ts";
import { outcomeOfWrite } from "./write-store.ts";

type Actions = Pick<
  typeof livingRoomActions,
  "openForPlatform" | "closeForPlatform" | "ofAnchor" | "idsOfExternal" | "externalIdsOf"
>;

/** Fails: invalidParam unless one of the two ids is given. */
function roomKey({
  roomId,
  externalRoomId,
}: {
  roomId?: number | undefined;
  externalRoomId?: string | undefined;
}): RoomKey {
  if (roomId !== undefined && externalRoomId === undefined) return { roomId };
  if (roomId === undefined && externalRoomId !== undefined) return { externalRoomId };
  throw fail("invalidParam", { field: "roomId", problem: "one of roomId and externalRoomId is needed" });
}

/** The actions of the server API: on rooms of all anchors, by the platform's ids too, without the limits of users. */
export const platformActions: ActionDefinitions<Service & RoomState, Actions> = {
  openForPlatform: {
    async handler(ctx) {
      const first = await outcomeOfWrite(this.mysql, ctx.params.writeId);
      if (first) {
        // The broadcast of the first run may be lost.
        await broadcast(this.broker, "living-room.changed", { roomId: first.room.roomId });
        return { room: first.room, opened: first.changed };
      }
      // The platform may name a user who does not exist; the user of a login does.
      await call(ctx, "user.profile", { userId: ctx.params.userId });
      return openLiveRoom(this, ctx, ctx.params);
    },
  },
  closeForPlatform: {
    async handler(ctx) {
      const { writeId } = ctx.params;
      const outcome = await closeForPlatform(this, roomKey(ctx.params), { writeId, requestId: ctx.requestID });
      // Also in a repeat: the broadcast of the first call may be lost.
      await broadcast(this.broker, "living-room.changed", { roomId: outcome.roomId });
      this.logger.info({ ...outcome, requestId: ctx.requestID }, "room closed by the platform");
      return outcome;
    },
  },
  ofAnchor: {
    handler(ctx) {
      return roomByAnchor(this.mysql, ctx.params.userId);
    },
  },
  idsOfExternal: {
    async handler(ctx) {
      const { externalRoomIds, closed } = ctx.params;
      const live = await roomsByExternalIds(this.mysql, externalRoomIds);
      const ids = new Map(live.map(({ roomId, externalRoomId }) => [externalRoomId as string, roomId]));
      const missing = closed ? externalRoomIds.filter((externalRoomId) => !ids.has(externalRoomId)) : [];
      const past = missing.length === 0 ? [] : await lastClosedByExternalIds(this.mysql, missing);
      for (const { externalRoomId, roomId } of past) ids.set(externalRoomId, roomId);
      return { list: [...ids].map(([externalRoomId, roomId]) => ({ externalRoomId, roomId })) };
    },
  },
  externalIdsOf: {
    async handler(ctx) {
      // The live ones first: a room that is closed in between is found among the closed ones.
      const live = await roomsByIds(this.mysql, ctx.params.roomIds);
      const closed = await externalIdsOfClosed(this.mysql, ctx.params.roomIds);
      const found = [...live.values(), ...closed];
      const ids = new Map(
        found.flatMap(({ roomId, externalRoomId: its }) => (its === undefined ? [] : [[roomId, its]])),
      );
      return { list: [...ids].map(([roomId, externalRoomId]) => ({ roomId, externalRoomId })) };
    },
  },
};
