import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { type Database, isDuplicateKey } from "../../mixins/mysql/database.ts";
import { decide } from "./idempotency-state.ts";
import { findKeys, finishAttempt, insertBegun, type StoredKey, takeOver } from "./idempotency-store.ts";
import type { BeginOutcome, BegunWrite, FinishedWrite } from "./platform.contract.ts";

const { rowsPerInsert, insertsInFlight, insertTries } = limits.platform;

const byKey = (one: { key: string }, other: { key: string }) =>
  one.key < other.key ? -1 : one.key > other.key ? 1 : 0;

/** Requests that arrive together, of all callers, in one batch. */
class Group<Request extends { readonly attempt: string }, Result> {
  private readonly waiting = new Map<string, Request>();
  private readonly loader: BatchLoader<Result>;

  constructor(carryOut: (requests: Request[]) => Promise<ReadonlyMap<string, Result>>) {
    const load = (attempts: string[]) => {
      const requests = attempts.map((attempt) => this.waiting.get(attempt) as Request);
      for (const attempt of attempts) this.waiting.delete(attempt);
      return carryOut(requests);
    };
    this.loader = new BatchLoader(load, { keys: rowsPerInsert, queries: insertsInFlight });
  }

  /** Rejects as the batch. */
  async add(request: Request): Promise<Result> {
    this.waiting.set(request.attempt, request);
    const result = await this.loader.get(request.attempt);
    if (result === undefined) throw fail("internal", { why: "a request of a group has no result" });
    return result;
  }
}

/**
 * The idempotency keys of the server API. Requests that arrive together are one statement and one commit. Of new keys
 * that is one INSERT and nothing else; only where a key is there already the rows are read.
 */
export class Idempotency {
  private readonly mysql: Database;
  private readonly beginnings = new Group((writes: BegunWrite[]) => this.beginAll(writes));
  private readonly ends = new Group((writes: FinishedWrite[]) => this.finishAll(writes));

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

  /** The outcomes by attempt. */
  private async beginAll(writes: readonly BegunWrite[]): Promise<Map<string, BeginOutcome>> {
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
    return outcomes;
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
    if (decision === "run") return { outcome: "run" };
    if (decision === "answer") return { outcome: "answered", answer: row.answer ?? "" };
    if (decision === "wait" || moved.has(write.key)) return { outcome: "underWay" };
    moved.add(write.key);
    return { outcome: (await takeOver(this.mysql, write, row)) ? "run" : "underWay" };
  }

  private async finishAll(writes: readonly FinishedWrite[]): Promise<Map<string, boolean>> {
    const sorted = [...writes].sort(byKey);
    return this.mysql.transaction(async (tx) => {
      const kept = new Map<string, boolean>();
      for (const write of sorted) kept.set(write.attempt, await finishAttempt(tx, write));
      return kept;
    });
  }
}
