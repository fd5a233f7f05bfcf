import { fail } from "../../broker/failure.ts";
import type { FailureName } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";

const roomTypes: readonly number[] = [1, 2];
const suffix = "的直播间";

/** Why a room of this type cannot be opened, `undefined` where it can. A JSON null counts as missing. */
export function roomTypeFailure(type: number | null | undefined): FailureName | undefined {
  if (type === undefined || type === null) return "roomTypeMissing";
  return roomTypes.includes(type) ? undefined : "invalidParam";
}

/** Fails: roomTypeMissing, invalidParam. */
export function requireRoomType(type: number | null | undefined): asserts type is number {
  const malformed = roomTypeFailure(type);
  if (malformed) throw fail(malformed, { type });
}

/** The given name without surrounding blanks; `undefined` where nothing is left. */
export function givenRoomName(roomName: string | undefined): string | undefined {
  return roomName?.trim() || undefined;
}

/** The name of a room whose anchor gave none. A long nick name is cut between characters. */
export function defaultRoomName(nickName: string): string {
  const room = limits.room.nameChars - suffix.length;
  let name = "";
  for (const character of nickName.trim()) {
    if (name.length + character.length > room) break;
    name += character;
  }
  return name + suffix;
}
