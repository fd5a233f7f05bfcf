import { limits } from "../../config/limits.ts";
import type { Answered, Standing } from "./servers.ts";

/** What earlier looks have found of a server. */
interface Known {
  /** `undefined`: it was silent, or served nobody. */
  readonly standing: Standing | undefined;
  /** Since when the looks have said that it is read-only, although it counts as writable. */
  readonly readOnlySince?: number;
  /** The looks in a row that were greeted, and got no further answer. */
  readonly slowLooks: number;
}

/**
 * What a server counts as after a look, by the looks before it. A single bad moment moves nobody: processes that look a
 * moment earlier or later would use another server.
 *
 *   full   as before: it has so many connections because it is used
 *   slow   as before, until `limits.mysql.slowLooks` looks in a row were so; then silent
 *   readOnly   of the used server that took writes: as before, until a look `limits.mysql.readOnlyAfterMs` later or more
 *              says so too
 *
 * One of which nothing is known and that is full or slow counts as writable: other processes may use it.
 */
export class ServerLooks {
  private readonly known = new Map<string, Known>();

  /** `answered`: what it says now, `undefined` where it is silent. `now` in ms, of a clock that never goes back. */
  countsAs(
    place: string,
    answered: Answered | undefined,
    isUsed: boolean,
    now = performance.now(),
  ): Standing | undefined {
    const before = this.known.get(place);
    const after = afterLook(before, answered, isUsed, now);
    this.known.set(place, after);
    return after.standing;
  }
}

function afterLook(before: Known | undefined, answered: Answered | undefined, isUsed: boolean, now: number): Known {
  const standing = before ? before.standing : "writable";
  if (answered === "full") return { standing, slowLooks: 0 };
  if (answered === "slow") {
    const slowLooks = (before?.slowLooks ?? 0) + 1;
    return { standing: slowLooks < limits.mysql.slowLooks ? standing : undefined, slowLooks };
  }
  if (answered === "readOnly" && isUsed && before?.standing === "writable") {
    const readOnlySince = before.readOnlySince ?? now;
    if (now - readOnlySince < limits.mysql.readOnlyAfterMs) return { standing, readOnlySince, slowLooks: 0 };
  }
  return { standing: answered, slowLooks: 0 };
}
