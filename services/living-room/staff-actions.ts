import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { broadcast } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { closeForStaff } from "./broadcasting.ts";
import { roomById, roomsByExternalId, roomsOfAnchor } from "./lookup-store.ts";
import type { RoomState } from "./room-state.ts";
import type { livingRoomStaffActions } from "./staff.contract.ts";

/** What staff look up of rooms, and closing one. */
export const staffActions: ActionDefinitions<Service & RoomState, typeof livingRoomStaffActions> = {
  roomsOfAnchor: {
    async handler(ctx) {
      const { limit } = ctx.params;
      // One room more than the page shows whether there is another page.
      const rooms = await roomsOfAnchor(this.mysql, { ...ctx.params, limit: limit + 1 });
      const list = rooms.slice(0, limit);
      return { list, nextCursor: rooms.length > limit ? String(list.at(-1)?.roomId) : null };
    },
  },
  roomForStaff: {
    async handler(ctx) {
      const room = await roomById(this.mysql, ctx.params.roomId);
      if (!room) throw fail("roomNotLive", { roomId: ctx.params.roomId });
      return room;
    },
  },
  roomsOfExternal: {
    async handler(ctx) {
      return { list: await roomsByExternalId(this.mysql, ctx.params.externalRoomId) };
    },
  },
  closeForStaff: {
    async handler(ctx) {
      const { roomId, reason, operator } = ctx.params;
      const outcome = await closeForStaff(this, { roomId, reason, operator, requestId: ctx.requestID });
      // Also in a repeat: the broadcast of the first call may be lost.
      await broadcast(this.broker, "living-room.changed", { roomId });
      this.logger.info(
        { ...outcome, operator, reason, requestId: ctx.requestID },
        "room closed by a decision of staff",
      );
      return outcome;
    },
  },
};
