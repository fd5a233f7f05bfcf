/** Replays the deliveries of a time, part by part, since the server carries out a bounded number at once. */

/**
 * Tells of each part. It may be stopped between two parts; what was replayed stays so.
 * @param {(from: string) => Promise<{replayed: number, nextFrom: string | null}>} replayPart
 * @param {{from: string, onPart?: (replayed: number, nextFrom: string | null) => void, signal?: AbortSignal}} options
 * @returns {Promise<{replayed: number, stoppedAt: string | null, error?: unknown}>} `stoppedAt`: where to go on, of a
 *   replay that did not come to its end; `error`: why, unless it was stopped by the signal
 */
export async function replayRange(replayPart, { from, onPart, signal }) {
  let replayed = 0;
  for (let next = from; ; ) {
    if (signal?.aborted) return { replayed, stoppedAt: next };
    let part;
    try {
      part = await replayPart(next);
    } catch (error) {
      return { replayed, stoppedAt: next, error };
    }
    replayed += part.replayed;
    onPart?.(replayed, part.nextFrom);
    // A part that does not come further would be asked for for ever.
    if (part.nextFrom === null || part.nextFrom === next) return { replayed, stoppedAt: part.nextFrom };
    next = part.nextFrom;
  }
}
