/** What the rooms' table says of a live room. */
export interface LookedRoom {
  readonly roomId: number;
  readonly anchorId: string;
  readonly watchNum: number;
  /** Whether the anchor has been connected to it over IM. */
  readonly anchorSeen: boolean;
  /** Whether she is known to be away. */
  readonly away: boolean;
}

/** What the IM router says of it; `anchor` is `null` where it cannot be known. */
export interface Attended {
  readonly roomId: number;
  readonly members: number;
  readonly anchor: boolean | null;
}

/** What is to be written. */
export interface Changes {
  readonly numbers: { roomId: number; was: number; is: number }[];
  /** Rooms whose anchor is there, where the table does not say so. */
  readonly here: number[];
  /** Rooms whose anchor has gone, from now on. */
  readonly gone: number[];
}

/** A room of which the router says nothing stays as it is; so does one whose anchor never came. */
export function changesOf(rooms: readonly LookedRoom[], attended: readonly Attended[]): Changes {
  const answers = new Map(attended.map((answer) => [answer.roomId, answer]));
  const changes: Changes = { numbers: [], here: [], gone: [] };
  for (const { roomId, watchNum, anchorSeen, away } of rooms) {
    const answer = answers.get(roomId);
    if (!answer) continue;
    if (answer.members !== watchNum) changes.numbers.push({ roomId, was: watchNum, is: answer.members });
    if (answer.anchor === true && (away || !anchorSeen)) changes.here.push(roomId);
    if (answer.anchor === false && anchorSeen && !away) changes.gone.push(roomId);
  }
  return changes;
}
