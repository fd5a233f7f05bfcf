import type { Database } from "../../mixins/mysql/database.ts";
import { type Job, type JobName, whenAsked } from "./job-state.ts";
import { askAgain, beginJob, findJob, lockJob } from "./jobs-store.ts";
import type { RankJob, RankVerification } from "./rank.contract.ts";
import { beginState, findState, nextGeneration } from "./state-store.ts";
import { estimatedTotals } from "./totals-store.ts";

/** What people and consumers ask of the ranks' jobs, which one node carries out (jobs.ts). */

/** Of a database in which nothing was counted yet: all gifts of the books are counted first. */
export function begin(mysql: Database, zone: string): Promise<void> {
  return mysql.transaction(async (tx) => {
    if (await beginState(tx, zone)) await beginJob(tx, "rebuild", null);
  });
}

/** See `rank.rebuild`. */
export function askForRebuild(
  mysql: Database,
  { since, anew, zone }: { since: Date | null; anew: boolean; zone: string },
): Promise<void> {
  return mysql.transaction(async (tx) => {
    if (anew) await nextGeneration(tx, zone);
    const job = await lockJob(tx, "rebuild");
    const next = anew ? "begin" : whenAsked(job, since);
    if (next === "begin") await beginJob(tx, "rebuild", anew ? null : since);
    else if (next === "follow" && since) await askAgain(tx, "rebuild", since);
  });
}

/**
 * Gifts from a time on are missing: a rebuild that runs is followed by one from then on, since it may have read beyond
 * them.
 */
export function askForMissed(mysql: Database, since: Date): Promise<void> {
  return mysql.transaction(async (tx) => {
    const job = await lockJob(tx, "rebuild");
    if (job?.state === "running") await askAgain(tx, "rebuild", since);
    else await beginJob(tx, "rebuild", since);
  });
}

/** See `rank.verify`. */
export function askForVerification(mysql: Database): Promise<void> {
  return mysql.transaction(async (tx) => {
    if ((await lockJob(tx, "verify"))?.state !== "running") await beginJob(tx, "verify", null);
  });
}

const iso = (time: Date | null) => time?.toISOString() ?? null;

function shownJob({ state, since, cursor, until, gifts, counted, begun, ended, result }: Job): RankJob {
  return {
    ...{ state, since: iso(since), cursor, until, gifts, counted, begun: begun.toISOString(), ended: iso(ended) },
    trouble: state === "done" ? null : result,
  };
}

function shownVerification(job: Job): RankVerification {
  const { counted: _counted, ...shown } = shownJob(job);
  const none = { compared: null, differences: null, shown: [] };
  const found = job.state === "done" && job.result !== null ? JSON.parse(job.result) : none;
  return { ...shown, ...(found as Pick<RankVerification, "compared" | "differences" | "shown">) };
}

/** See `rank.status`. */
export async function statusOf(mysql: Database, wantedZone: string) {
  const jobOf = (name: JobName) => findJob(mysql, name);
  const [state, rebuild, verify] = [await findState(mysql), await jobOf("rebuild"), await jobOf("verify")];
  return {
    ...{ generation: state?.generation ?? 0, zone: state?.zone ?? wantedZone, wantedZone },
    totals: await estimatedTotals(mysql),
    rebuild: rebuild ? shownJob(rebuild) : null,
    verification: verify ? shownVerification(verify) : null,
  };
}
