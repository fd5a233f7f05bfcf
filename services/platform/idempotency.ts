import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey } from "../../mixins/mysql/database.ts";
import { RequestBatches } from "../../mixins/request-batches.ts";
import { decide, isUnsure } from "./idempotency-state.ts";
import { findKeys, finishAttempt, insertBegun, type StoredKey, takeOver } from "./idempotency-store.ts";
import type { BeginOutcome, BegunWrite, FinishedWrite } from "./platform.contract.ts";

const { rowsPerInsert, insertsInFlight, insertTries } = limits.platform;
const bounds = { requests: rowsPerInsert, batches: insertsInFlight } as const;

const byKey = (one: { key: string }, other: { key: string }) =>
  one.key < other.key ? -1 : one.key > other.key ? 1 : 0;

/**
 * The idempotency keys of the server API. Requests that arrive together are one statement and one commit. Of new keys
 * that is one INSERT and nothing else; only where a key is there already the rows are read.
 */
export class Idempotency {
  private readonly mysql: Database;
  private readonly beginnings = new RequestBatches((writes: BegunWrite[]) => this.beginAll(writes), bounds);
  private readonly ends = new RequestBatches((writes: FinishedWrite[]) => this.finishAll(writes), bounds);

  constructor(mysql: Database) {
    this.mysql = mysql;
  }

  /** See `platform.begin`. */
  begin(writes: readonly BegunWrite[]): Promise<BeginOutcome[]> {
    return Promise.all(writes.map((write) => this.beginnings.add(write)));
  }

  /** See `platform.finish`. */
  finish(writes: readonly FinishedWrite[]): Promise<boolean[]> {
    return Promise.all(writes.map((write) => this.ends.add(write)));
  }

  private async beginAll(writes: readonly BegunWrite[]): Promise<BeginOutcome[]> {
    const outcomes = new Map<string, BeginOutcome>();
    let missing = [...writes].sort(byKey);
    for (let tries = 0; missing.length > 0; tries++) {
      // Two attempts of one key may have arrived together: one row for them.
      const first = missing.filter(({ key }, at) => key !== missing[at - 1]?.key);
      if (await this.inserted(first)) {
        const begun = new Set(first);
        for (const { attempt } of first) outcomes.set(attempt, { outcome: "run" });
        missing = missing.filter((write) => !begun.has(write));
      } else if (tries >= insertTries)
        throw fail("unavailable", { why: "other nodes write the same keys all the time" });
      missing = await this.decideKept(missing, outcomes);
    }
    return writes.map(({ attempt }) => outcomes.get(attempt) as BeginOutcome);
  }

  /** Whether the rows were written; `false`: one of the keys is there already, and none was. */
  private async inserted(writes: readonly BegunWrite[]): Promise<boolean> {
    try {
      await insertBegun(this.mysql, writes);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Decides the writes whose keys have a row, one after the other, and returns the others. */
  private async decideKept(writes: BegunWrite[], outcomes: Map<string, BeginOutcome>): Promise<BegunWrite[]> {
    if (writes.length === 0) return [];
    const kept = await findKeys(this.mysql, [...new Set(writes.map(({ key }) => key))]);
    const moved = new Set<string>();
    const without: BegunWrite[] = [];
    for (const write of writes) {
      const row = kept.get(write.key);
      if (!row) without.push(write);
      else outcomes.set(write.attempt, await this.outcomeOf(write, row, moved));
    }
    return without;
  }

  /** `moved`: keys whose rows are no longer as they were read. */
  private async outcomeOf(write: BegunWrite, row: StoredKey, moved: Set<string>): Promise<BeginOutcome> {
    const decision = decide(row, write);
    if (decision === "conflict") return { outcome: "conflict" };
    const run: BeginOutcome = isUnsure(row, write) ? { outcome: "run", unsure: true } : { outcome: "run" };
    if (decision === "run") return run;
    if (decision === "answer") return { outcome: "answered", answer: row.answer ?? "" };
    if (decision === "wait" || moved.has(write.key)) return { outcome: "underWay" };
    moved.add(write.key);
    return (await takeOver(this.mysql, write, row)) ? run : { outcome: "underWay" };
  }

  private async finishAll(writes: readonly FinishedWrite[]): Promise<boolean[]> {
    const sorted = [...writes].sort(byKey);
    const kept = await this.mysql.transaction(async (tx) => {
      const ended = new Map<string, boolean>();
      for (const write of sorted) ended.set(write.attempt, await finishAttempt(tx, write));
      return ended;
    });
    return writes.map(({ attempt }) => kept.get(attempt) === true);
  }
}
