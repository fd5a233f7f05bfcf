import type { Service } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Check } from "./checks/check.ts";
import { type RunPorts, type RunResult, runCheck } from "./comparison.ts";

/** Ends a run: the service stops, or another node has the lease. */
export class RunEnded extends Error {}

interface Surroundings {
  readonly log: Pick<Service["logger"], "info">;
  /** Rejects where a database of the comparison is away. */
  readonly databasesAnswer: () => Promise<unknown>;
  /** Whether a system starts, whose databases are being made: no failure is a finding yet. */
  readonly isStarting: () => boolean;
}

/**
 * Runs checks so that none stops the others: what somebody writes into one table must not blind the comparison of the
 * rest. A check that fails is a finding `checkFailed`.
 */
export class CheckRuns {
  private readonly around: Surroundings;
  /** How many times in a row a check has failed, by its name and what ran it. */
  private readonly failed = new Map<string, number>();

  constructor(around: Surroundings) {
    this.around = around;
  }

  /**
   * Runs a check as `runCheck` does; `"failed"` where it did not come to its end. Rejects where the run ends, or a
   * database is away. A statement that takes too long looks like an outage: it is one of the check where the databases
   * answer others, for `limits.books.unavailableRuns` runs one after the other.
   */
  async run(check: Check, since: Date | null, ports: RunPorts): Promise<RunResult | "failed" | undefined> {
    const key = `${since ? "round" : "pass"} ${check.name}`;
    try {
      const result = await runCheck(check, since, ports);
      this.failed.delete(key);
      return result;
    } catch (error) {
      if (error instanceof RunEnded) throw error;
      const unavailable = isUnavailable(error);
      if (unavailable) await this.around.databasesAnswer();
      const times = (this.failed.get(key) ?? 0) + 1;
      this.failed.set(key, times);
      if (this.around.isStarting() || (unavailable && times < limits.books.unavailableRuns)) {
        this.around.log.info({ err: error, check: check.name, times }, "a check of the books failed: it runs again");
        return "failed";
      }
      const { message, data } = error as Error & { data?: { cause?: unknown } };
      const detail = [message, data?.cause].filter((part) => typeof part === "string" && part !== "").join(": ");
      await ports.found([{ kind: "checkFailed", subject: check.name, detail }], check);
      return "failed";
    }
  }
}
