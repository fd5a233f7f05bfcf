import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import { linkGuest, unlinkGuest } from "./guests.ts";
import type { livingRoomActions } from "./living-room.contract.ts";
import type { RoomState } from "./room-state.ts";

type Actions = Pick<typeof livingRoomActions, "linkGuest" | "unlinkGuest">;

/** The guests of battles. */
export const guestActions: ActionDefinitions<Service & RoomState, Actions> = {
  linkGuest: {
    handler(ctx) {
      return linkGuest(this, ctx.params);
    },
  },
  unlinkGuest: {
    handler(ctx) {
      return unlinkGuest(this, ctx.params);
    },
  },
};
