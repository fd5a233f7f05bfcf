/** Parts of the table of who may call what (services/access.ts): mutes and bans, and the people of a room. */

const staffDoor = ["admin-gateway"] as const;
const gateway = ["api-gateway"] as const;
const rooms = ["living-room"] as const;

/** Of the user service. */
export const restrictionCallers = {
  restrict: staffDoor,
  liftRestriction: staffDoor,
  restrictions: staffDoor,
  muteInRoom: rooms,
  unmuteInRoom: rooms,
  requireUnrestricted: rooms,
  bannedAmong: rooms,
  restrictionsSince: ["api-gateway", "im-server"],
} as const;

/** Of the living-room service. */
export const moderationCallers = {
  moderators: ["api-gateway", "admin-gateway"],
  addModerator: gateway,
  removeModerator: gateway,
  roleOf: gateway,
  mute: gateway,
  unmute: gateway,
  removeChat: gateway,
} as const;
