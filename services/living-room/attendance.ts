/**
 * Whether an anchor is in her live room. `t_living_room` stores the state in `anchor_seen` and `away_since`:
 *
 *   awaited  she has never been connected -> present  a check or her entry finds her in the room
 *   present  she is in the room           -> absent   a check finds that she has left
 *   absent   since `away_since`           -> present  a check or her entry finds her in the room again, or the time of
 *                                                     her absence was unknown: it counts from zero
 *                                         -> closed   absent for `anchorAwayMs`, and still so at a second check
 *
 * A room whose anchor is awaited is never closed for her absence.
 */
export type AnchorState = "awaited" | "present" | "absent";

/** A live room as the database has it. */
export interface CheckedRoom {
  readonly roomId: number;
  readonly anchorId: string;
  readonly watchNum: number;
  readonly anchor: AnchorState;
}

/** The IM router's answer about a room; `anchor` is whether she is in it, `null` where that is unknown. */
export interface Attended {
  readonly roomId: number;
  readonly members: number;
  readonly anchor: boolean | null;
}

/** The changes to write. */
export interface Changes {
  readonly numbers: { roomId: number; was: number; is: number }[];
  /** Rooms whose anchor becomes present. */
  readonly here: number[];
  /** Rooms whose anchor becomes absent. */
  readonly gone: number[];
}

/** A room without an answer stays as it is. */
export function changesOf(rooms: readonly CheckedRoom[], attended: readonly Attended[]): Changes {
  const answers = new Map(attended.map((answer) => [answer.roomId, answer]));
  const changes: Changes = { numbers: [], here: [], gone: [] };
  for (const { roomId, watchNum, anchor } of rooms) {
    const answer = answers.get(roomId);
    if (!answer) continue;
    if (answer.members !== watchNum) changes.numbers.push({ roomId, was: watchNum, is: answer.members });
    if (answer.anchor === true && anchor !== "present") changes.here.push(roomId);
    if (answer.anchor === false && anchor === "present") changes.gone.push(roomId);
  }
  return changes;
}
