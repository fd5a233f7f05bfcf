import type { RoomRole } from "./moderators.contract.ts";

/**
 * Who may moderate whom in a live room. Pure.
 *
 *   by         anchor       another moderator   viewer   oneself
 *   anchor     -            yes                 yes      no
 *   moderator  no           no                  yes      no
 *   viewer     no           no                  no       no
 */
export function mayModerate(by: RoomRole, about: RoomRole): boolean {
  if (by === "anchor") return about !== "anchor";
  return by === "moderator" && about === "viewer";
}

/** The role of a user in the room of this anchor. */
export function roleIn(anchorId: string, moderators: readonly string[], userId: string): RoomRole {
  if (userId === anchorId) return "anchor";
  return moderators.includes(userId) ? "moderator" : "viewer";
}

/** Whose chat stays when this user removes some: nobody's for the anchor, and not one's own. */
export function sparedBy(by: RoomRole, userId: string, anchorId: string, moderators: readonly string[]): string[] {
  return by === "anchor" ? [] : [anchorId, ...moderators].filter((spared) => spared !== userId);
}
