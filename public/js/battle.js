/**
 * A battle as a room's page knows it, from the frames 5559 (its state) and 5558 (its scores); imports nothing. Frames may
 * be repeated, late, or of an earlier battle. The clock is the server's: the device's clock is never used.
 *
 * States of a battle: invited → running → settling → ended; invited → declined, cancelled, expired.
 * Phases on the page: none, invited, running, last (the last 30 s), counting, ended (the result is on show).
 */
const ORDER = { invited: 0, running: 1, settling: 2, ended: 3, declined: 3, cancelled: 3, expired: 3 };
const OVER = 3;
const INVITED_MS = 30_000;
const LAST_MS = 30_000;
const RESULT_MS = 60_000;
const LEAST_SHARE = 4;

/** @param {() => number} [now] ms of a clock that is never set, so not Date */
export function createBattle(now = () => performance.now()) {
  let view; // the newest view; it stays when the battle is over, so that late frames of it change nothing
  let offset; // server's ms − now()
  let since = 0; // when this state was seen first
  let dismissed = false;

  /** Every frame was under way for a while, so the sample that is furthest ahead is the nearest. */
  function noteServerTime(ms) {
    if (Number.isFinite(ms)) offset = Math.max(offset ?? Number.NEGATIVE_INFINITY, ms - now());
  }

  function isLate(next) {
    const earlier = Date.parse(next.serverTime) < Date.parse(view.serverTime);
    if (next.battleId !== view.battleId) return earlier;
    return ORDER[next.state] < ORDER[view.state] || (next.state === view.state && earlier);
  }

  /** Live scores only rise; what the end says is final. */
  function sidesOf(next) {
    if (next.battleId !== view?.battleId || ORDER[next.state] >= OVER) return next.sides;
    return next.sides.map((side) => ({ ...side, score: Math.max(side.score, scoreOf(view, side.userId)) }));
  }

  return {
    get view() {
      return view;
    },
    get over() {
      return view === undefined || ORDER[view.state] >= OVER;
    },
    /** A battle's view from a frame 5559 or from pk/show; true where it says something new. */
    take(next) {
      if (!isView(next) || (view && isLate(next))) return false;
      const other = next.battleId !== view?.battleId;
      if (other && ORDER[next.state] >= OVER) return false;
      if (other) offset = undefined;
      noteServerTime(Date.parse(next.serverTime));
      if (other || next.state !== view.state) {
        since = now();
        dismissed = false;
      }
      view = { ...next, sides: sidesOf(next) };
      return true;
    },
    /** A frame 5558: "taken", "ignored", or "unknown" where its battle is not. */
    takeScores({ battleId, scores, remainingMs }) {
      if (battleId !== view?.battleId) return "unknown";
      if (view.state !== "running" && view.state !== "settling") return "ignored";
      if (remainingMs > 0) noteServerTime(Date.parse(view.endTime) - remainingMs);
      const sides = view.sides.map((side) => {
        const score = Number(scores?.find?.(({ userId }) => userId === side.userId)?.score);
        return score > side.score ? { ...side, score } : side;
      });
      view = { ...view, sides };
      return "taken";
    },
    /** The phase and how long it still lasts, ms; `undefined` where nobody knows. */
    phase() {
      if (!view || dismissed) return { phase: "none" };
      const shown = now() - since;
      if (view.state === "invited") return lasting("invited", INVITED_MS - shown);
      if (view.state === "settling") return { phase: "counting" };
      if (view.state === "ended") return lasting("ended", RESULT_MS - shown);
      if (view.state !== "running") return { phase: "none" };
      const leftMs = Date.parse(view.endTime) - now() - offset;
      if (leftMs <= 0) return { phase: "counting" };
      return { phase: leftMs <= LAST_MS ? "last" : "running", leftMs };
    },
    /** Takes the result off the page. */
    dismiss() {
      dismissed = true;
    },
  };
}

function lasting(phase, leftMs) {
  return leftMs > 0 ? { phase, leftMs } : { phase: "none" };
}

function isView(view) {
  if (typeof view?.battleId !== "string" || !Object.hasOwn(ORDER, view.state)) return false;
  const isSide = (side) => typeof side?.userId === "string" && Number.isFinite(side.score);
  return Array.isArray(view.sides) && view.sides.length === 2 && view.sides.every(isSide);
}

function scoreOf({ sides }, userId) {
  return sides.find((side) => side.userId === userId)?.score ?? 0;
}

/** The two sides, the page's own room first; of one room, its anchor first. */
export function sidesFor({ sides }, roomId, anchorId) {
  const [first, second] = sides;
  const own = first.roomId === second.roomId ? ({ userId }) => userId === anchorId : (side) => side.roomId === roomId;
  return own(second) ? [second, first] : [first, second];
}

/** How much of the bar is the first side's, in percent: a side without a score still has a little of it. */
export function shareOf(first, second) {
  if (first + second <= 0) return 50;
  return Math.min(100 - LEAST_SHARE, Math.max(LEAST_SHARE, (100 * first) / (first + second)));
}

/** 4:05 of 244,001 ms: a second that has begun counts. */
export function clockText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
