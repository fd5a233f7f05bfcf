import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import type { Closing } from "../support/closing.ts";
import type { Job, ReportOf } from "./jobs.ts";

/** The load generator as the benchmark sees it. */
export class Generator {
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static start(closing: Closing): Generator {
    // It prints only problems, to standard error: standard output is for the benchmark's result.
    const child = fork(join(projectRoot(), "bench/load/generator.ts"), { stdio: ["ignore", 2, 2, "ipc"] });
    const ended = once(child, "exit");
    closing.add(async () => {
      if (child.connected) child.disconnect();
      await ended;
    });
    return new Generator(child);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Runs one job at a time. Rejects where it failed. */
  async do<J extends Job>(job: J): Promise<ReportOf<J>> {
    const ended = new AbortController();
    const exit = once(this.child, "exit", { signal: ended.signal }).then(([code]) => {
      throw new Error(`the load generator ended with ${code}`);
    });
    const reply = once(this.child, "message") as Promise<[{ report?: ReportOf<J>; failure?: string }]>;
    try {
      this.child.send(job);
      const [{ report, failure }] = await Promise.race([reply, exit]);
      if (report === undefined) throw new Error(`the load generator failed: ${failure}`);
      return report;
    } finally {
      exit.catch(() => undefined);
      ended.abort();
    }
  }
}
