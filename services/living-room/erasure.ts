import type { Context, Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { eraseSent } from "../../mixins/outbox/erase-sent.ts";
import { call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { erasureActions as contract, ErasureObstacle } from "../erasure.contract.ts";
import { latelyClosedBy, roomsWithHistory } from "./erasure-store.ts";
import { eraseModeration } from "./moderator-store.ts";
import type { RoomState } from "./room-state.ts";
import { eraseRoomNames, roomByAnchor } from "./room-store.ts";

/** The part of rooms in the erasure of a user. */

type Rooms = Service & RoomState;

/** A live room is closed first: by the anchor, by staff, or since her account is. */
const obstaclesOf = async ({ mysql }: Rooms, userId: string): Promise<ErasureObstacle[]> =>
  (await roomByAnchor(mysql, userId)) ? ["room"] : [];

/** Chat is kept by room alone, so every room that may have a history is looked through. */
async function eraseChat(ctx: Context, { mysql }: Rooms, userId: string): Promise<void> {
  for (const table of ["t_living_room", "t_living_room_record"] as const)
    for (let after = 0; ; ) {
      const roomIds = await roomsWithHistory(mysql, table, after);
      if (roomIds.length > 0) await call(ctx, "im-router.eraseChat", { userId, roomIds });
      if (roomIds.length < limits.erasure.roomsPerCall) break;
      after = roomIds.at(-1) as number;
    }
}

export const erasureActions: ActionDefinitions<Rooms, typeof contract> = {
  erasureObstacles: {
    async handler(ctx) {
      return { obstacles: await obstaclesOf(this, ctx.params.userId) };
    },
  },

  eraseUser: {
    async handler(ctx) {
      const { userId } = ctx.params;
      const obstacles = await obstaclesOf(this, userId);
      if (obstacles.length > 0) return { obstacles };
      await eraseRoomNames(this.mysql, userId);
      const closed = await latelyClosedBy(this.mysql, userId);
      await eraseSent(
        this.mysql,
        closed.map((roomId) => `room:${roomId}`),
      );
      await eraseModeration(this.mysql, userId);
      await eraseChat(ctx, this, userId);
      return { obstacles: [] };
    },
  },
};
