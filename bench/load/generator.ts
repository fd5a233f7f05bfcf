import { carryOutJobs } from "../support/job-process.ts";
import { flood } from "./flood.ts";
import type { Job } from "./jobs.ts";
import { Sightings } from "./sightings.ts";
import { steady } from "./steady.ts";
import { leave, watch } from "./viewers.ts";

/*
 * The load generator, in a separate process, so that its CPU is not counted as the system's. It runs one job of the
 * benchmark at a time (jobs.ts) and ends with it.
 */

const sightings = new Sightings();

function carryOut(job: Job): Promise<unknown> {
  switch (job.kind) {
    case "flood":
      return flood(job);
    case "steady":
      return steady(job, sightings);
    case "watch":
      return watch(job, sightings);
    case "leave":
      return leave();
  }
}

carryOutJobs(carryOut);
