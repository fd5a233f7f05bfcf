import type { Closing } from "../support/closing.ts";
import { JobProcess } from "../support/job-process.ts";
import type { Job, ReportOf } from "./jobs.ts";

/** The load generator as the benchmark sees it. */
export class Generator {
  private readonly process: JobProcess;

  private constructor(process: JobProcess) {
    this.process = process;
  }

  static start(closing: Closing): Generator {
    return new Generator(JobProcess.start(closing, "bench/load/generator.ts"));
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Runs one job at a time. Rejects where it failed. */
  do<J extends Job>(job: J): Promise<ReportOf<J>> {
    return this.process.do<ReportOf<J>>(job);
  }
}
