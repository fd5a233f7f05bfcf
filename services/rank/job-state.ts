/**
 * The states of a rebuild and of a verification, and the moves between them. Pure.
 *
 *   none      -> running            asked for
 *   running   -> running            asked for again: it begins anew, or goes on where it wants the same
 *   running   -> done | failed      failed: only a verification; a rebuild is tried again until it is done
 *   done      -> running
 *   failed    -> running
 */
export type JobState = "running" | "done" | "failed";
export type JobName = "rebuild" | "verify";

/** When a job was asked for and where it is; record ids are decimal strings. */
export interface Job {
  readonly state: JobState;
  readonly since: Date | null;
  readonly cursor: string | null;
  readonly until: string | null;
  readonly gifts: number;
  readonly counted: number;
  readonly againSince: Date | null;
  readonly begun: Date;
  readonly ended: Date | null;
  readonly result: string | null;
}

const moves: Readonly<Record<JobState, readonly JobState[]>> = {
  running: ["running", "done", "failed"],
  done: ["running"],
  failed: ["running"],
};

export const mayBecome = (from: JobState, to: JobState): boolean => moves[from].includes(to);

/** Whether a rebuild that runs does what is asked for now, so that it goes on instead of beginning anew. */
export function goesOn(job: Job | undefined, since: Date | null): boolean {
  return job?.state === "running" && job.since?.getTime() === since?.getTime();
}

/** The earlier of two times, `null` being the beginning. */
export function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return null;
  return one < other ? one : other;
}
