import type { ScoreFrame } from "./viewers-process.ts";

/** A message of `gift.settled`: what it adds to the score of each side, by user id, and when it was published. */
export interface SettledMessage {
  /** Unix ms. */
  at: number;
  coins: ReadonlyMap<string, number>;
}

/**
 * Times from the publication of settled gifts to the first frame that shows them, ms, for each message, side and viewer
 * of the side's battle. `viewersOf` has the rooms whose viewers see a side's scores. A frame shows a message where its
 * score is at least the sum of the side's gifts up to it. `unseen` counts those that no frame has shown. Messages from
 * before `measuredFrom`, Unix ms, belong to the sums and are not counted.
 */
export function scoreLags(
  messages: readonly SettledMessage[],
  frames: readonly ScoreFrame[],
  viewersOf: ReadonlyMap<string, readonly number[]>,
  measuredFrom = 0,
): { lagsMs: number[]; unseen: number } {
  const seen = new Map<string, { at: number; score: number }[]>();
  for (const { roomId, at, scores } of frames.toSorted((one, other) => one.at - other.at))
    for (const [userId, score] of Object.entries(scores)) {
      const key = `${roomId} ${userId}`;
      const list = seen.get(key) ?? [];
      list.push({ at, score });
      seen.set(key, list);
    }
  const sums = new Map<string, number>();
  const places = new Map<string, number>();
  const lagsMs: number[] = [];
  let unseen = 0;
  for (const { at, coins } of messages)
    for (const [userId, added] of coins) {
      const sum = (sums.get(userId) ?? 0) + added;
      sums.set(userId, sum);
      for (const roomId of viewersOf.get(userId) ?? []) {
        const key = `${roomId} ${userId}`;
        const list = seen.get(key) ?? [];
        let place = places.get(key) ?? 0;
        while (place < list.length && (list[place]?.score ?? 0) < sum) place++;
        places.set(key, place);
        if (at < measuredFrom) continue;
        const frame = list[place];
        if (frame) lagsMs.push(Math.max(0, frame.at - at));
        else unseen++;
      }
    }
  return { lagsMs, unseen };
}
