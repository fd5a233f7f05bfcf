import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import type { Closing } from "./closing.ts";

/** A separate process of the load generator: its CPU is not counted as the system's. It ends with the benchmark. */
export class JobProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, "exit");
  }

  /** Starts a script that calls `carryOutJobs`; its path is relative to the project. */
  static start(closing: Pick<Closing, "add">, script: string): JobProcess {
    // It prints only problems, to standard error: standard output is for the benchmark's result.
    const stdio: ["ignore", number, number, "ipc"] = ["ignore", 2, 2, "ipc"];
    const started = new JobProcess(fork(join(projectRoot(), script), { stdio, serialization: "advanced" }));
    closing.add(() => started.end());
    return started;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Runs one job at a time. Rejects where it failed, or the process ended. */
  async do<Report>(job: object): Promise<Report> {
    const over = new AbortController();
    const exit = once(this.child, "exit", { signal: over.signal }).then(([code]) => {
      throw new Error(`the load generator ended with ${code}`);
    });
    const reply = once(this.child, "message", { signal: over.signal }) as Promise<
      [{ report?: Report; failure?: string }]
    >;
    // Whichever comes second is aborted.
    for (const other of [exit, reply]) other.catch(() => undefined);
    try {
      this.child.send(job);
      const [{ report, failure }] = await Promise.race([reply, exit]);
      if (failure !== undefined) throw new Error(`the load generator failed: ${failure}`);
      return report as Report;
    } finally {
      over.abort();
    }
  }

  /** Its connections are closed with it. */
  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.ended;
  }
}

/** Called in the process itself: answers each job with its report, and ends with the benchmark. */
export function carryOutJobs<Job>(carryOut: (job: Job) => Promise<unknown>): void {
  process.on("message", (job: Job) => {
    carryOut(job).then(
      (report) => process.send?.({ report }),
      (error: unknown) => process.send?.({ failure: String(error) }),
    );
  });
  process.on("disconnect", () => process.exit());
}
