/**
 * The states of a rebuild and of a verification, and the moves between them. Pure.
 *
 *   none      -> running            asked for
 *   running   -> running            asked for again: see `whenAsked`
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

/**
 * What becomes of the rebuild where one is asked for. One that runs is given up only for one that reads all gifts: it may
 * be on its way to gifts that nothing else counts.
 *
 *   begin    the rebuild that is asked for, now
 *   goOn     the one that runs does the same
 *   follow   the one that runs goes on, and then one from `since` on
 */
export function whenAsked(job: Job | undefined, since: Date | null): "begin" | "goOn" | "follow" {
  if (job?.state !== "running") return "begin";
  if (job.since?.getTime() === since?.getTime()) return "goOn";
  return since === null ? "begin" : "follow";
}
