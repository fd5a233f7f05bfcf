import type { Closing } from "../../bench/support/closing.ts";
import { JobProcess } from "../../bench/support/job-process.ts";
import type { LoadJob, Progress, Scene, Sent, Unseen } from "./jobs.ts";

/** The load as the drill sees it. One call at a time. */
export class Load {
  private readonly process: JobProcess;

  private constructor(process: JobProcess) {
    this.process = process;
  }

  static start(closing: Closing): Load {
    return new Load(JobProcess.start(closing, "drill/load/load-process.ts"));
  }

  /** Connects the viewers. */
  open(scene: Scene): Promise<void> {
    return this.do({ do: "open", scene });
  }

  begin(name: string, perSecond: number, paymentsPerSecond: number): Promise<void> {
    return this.do({ do: "begin", name, perSecond, paymentsPerSecond });
  }

  progress(): Promise<Progress> {
    return this.do({ do: "progress" });
  }

  /** Resolves once everything sent has its last answer, within about a minute. */
  end(): Promise<Sent> {
    return this.do({ do: "end" });
  }

  unseen(failed: readonly string[]): Promise<Unseen> {
    return this.do({ do: "unseen", failed });
  }

  forget(): Promise<void> {
    return this.do({ do: "forget" });
  }

  private do<Report>(job: LoadJob): Promise<Report> {
    return this.process.do<Report>(job);
  }
}
