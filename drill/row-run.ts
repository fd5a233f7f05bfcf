import { setTimeout as pause } from "node:timers/promises";
import { becomesTrue } from "../scripts/stack/wait.ts";
import { type Compared, compare } from "./books/compare.ts";
import { RowBooks } from "./books/row-books.ts";
import { type Stall, stallOf } from "./books/stall.ts";
import { verifyBooks } from "./books/verify.ts";
import type { Drilled, DrillRow } from "./faults/fault.ts";
import type { Sent, Unseen } from "./load/jobs.ts";
import type { Load } from "./load/load.ts";

/** How much is sent. */
export interface Rate {
  readonly gifts: number;
  readonly payments: number;
}

/** The load is steady once it has been for so long; so it is again after a fault. */
const steadyMs = 2_000;
const steadyWithinMs = 60_000;
/** The share of the rate before the fault at which gifts flow again. */
const flowingShare = 0.7;
const lookMs = 500;
/** Credits may come late: the cashier repeats its webhooks after pauses of up to a minute. */
const settledWithinMs = 120_000;
const seenWithinMs = 60_000;

export interface Outcome extends Omit<Compared, "failedOrders"> {
  readonly stall: Stall;
  readonly overdrafts: number;
  readonly unseen: Unseen;
  readonly errors: Sent["errors"];
  readonly misnamed: Sent["misnamed"];
  /** Gifts accepted a second before the fault. */
  readonly rate: number;
  /** Nodes that ended by themselves, killed ones too. */
  readonly ends: readonly string[];
  readonly note: string | undefined;
  /** Whether gifts flowed again as before the fault. */
  readonly flows: boolean;
  readonly seconds: number;
}

interface Look {
  readonly at: number;
  readonly accepted: number;
  readonly settled: number;
}

/** One row under load: begins the load, runs the fault, drains, and compares. */
export class RowRun {
  private readonly drilled: Drilled;
  private readonly load: Load;
  private readonly books: RowBooks;
  private readonly wanted: Rate;
  private readonly begunAt = new Date();
  /** Gifts accepted a second before the fault. */
  private rate = 0;

  private constructor(drilled: Drilled, load: Load, books: RowBooks, wanted: Rate) {
    this.drilled = drilled;
    this.load = load;
    this.books = books;
    this.wanted = wanted;
  }

  static async begin(drilled: Drilled, load: Load, name: string, rate: Rate): Promise<RowRun> {
    drilled.nodes.takeEnds();
    const run = new RowRun(drilled, load, await RowBooks.begin(), rate);
    await load.begin(name, rate.gifts, rate.payments);
    return run;
  }

  /** Resolves once gifts flow at the wanted rate, or at the most that this machine does. */
  async untilSteady(): Promise<void> {
    const first = await this.look();
    if (!(await this.untilFlowing(this.wanted.gifts))) throw new Error("gifts do not flow, although nothing is broken");
    const last = await this.look();
    this.rate = ((last.accepted - first.accepted) * 1_000) / (last.at - first.at);
  }

  /** As `Underway.flows`. */
  flows(): Promise<boolean> {
    return this.untilFlowing(this.rate);
  }

  /** Sends no more, waits until all is settled and seen, and compares. */
  async end(note: string | undefined, flows: boolean): Promise<Outcome> {
    const sent = await this.load.end();
    const { compared, stall } = await this.compare(sent);
    const unseen = await this.untilSeen(compared.failedOrders);
    return this.outcome(sent, unseen, { note, stall, flows });
  }

  private async outcome(
    sent: Sent,
    unseen: Unseen,
    { note, stall, flows }: Pick<Outcome, "note" | "stall" | "flows">,
  ): Promise<Outcome> {
    const { compared } = await this.compare(sent);
    const overdrafts = await this.books.overdrafts();
    const faults = [...compared.faults, ...(await verifyBooks(this.drilled.servers.env, this.begunAt))];
    await this.load.forget();
    const { failedOrders: _, ...figures } = compared;
    return {
      ...{ ...figures, faults, stall, overdrafts, unseen, errors: sent.errors, misnamed: sent.misnamed },
      ...{ rate: this.rate, note, flows },
      ...{ ends: this.drilled.nodes.takeEnds(), seconds: (Date.now() - this.begunAt.getTime()) / 1_000 },
    };
  }

  /**
   * Sends no more and waits until all is settled and seen; then `restore` replaces the databases, and what clients were
   * answered is compared with what is in them.
   */
  async endRestored(restore: () => Promise<string>): Promise<Outcome> {
    const sent = await this.load.end();
    const before = await this.compare(sent);
    const unseen = await this.untilSeen(before.compared.failedOrders);
    const note = await restore();
    return this.outcome(sent, unseen, { note, stall: before.stall, flows: true });
  }

  /** Compares what clients were answered with the books, again until nothing is lost or for long. */
  async compare(sent: Sent): Promise<{ compared: Compared; stall: Stall }> {
    let found: { compared: Compared; stall: Stall } | undefined;
    await becomesTrue(
      async () => {
        const records = await this.books.records();
        const compared = compare(sent, records, await this.books.trades());
        found = { compared, stall: stallOf(sent.gifts, records) };
        return compared.lost === 0;
      },
      settledWithinMs,
      lookMs,
    );
    return found as { compared: Compared; stall: Stall };
  }

  private async untilSeen(failed: readonly string[]): Promise<Unseen> {
    let unseen: Unseen | undefined;
    await becomesTrue(
      async () => {
        unseen = await this.load.unseen(failed);
        return unseen.silent === 0 && unseen.holes === 0;
      },
      seenWithinMs,
      lookMs,
    );
    return unseen as Unseen;
  }

  private async look(): Promise<Look> {
    const { accepted } = await this.load.progress();
    return { at: Date.now(), accepted, settled: await this.books.settled() };
  }

  /** Whether gifts are accepted at a share of this rate, and settled at once, for some seconds. */
  private async untilFlowing(rate: number): Promise<boolean> {
    const looks: Look[] = [await this.look()];
    const flows = async () => {
      const now = await this.look();
      looks.push(now);
      const before = looks.findLast(({ at }) => now.at - at >= steadyMs);
      if (!before) return false;
      const least = (rate * flowingShare * (now.at - before.at)) / 1_000;
      return now.accepted - before.accepted >= least && now.accepted - now.settled <= rate;
    };
    return becomesTrue(flows, steadyWithinMs, lookMs);
  }
}

/** A row from its start to its comparison. */
export async function runRow(drilled: Drilled, load: Load, row: DrillRow, rate: Rate): Promise<Outcome> {
  await row.before?.(drilled);
  try {
    const run = await RowRun.begin(drilled, load, row.name, rate);
    await run.untilSteady();
    drilled.progress(`${row.name}: the fault begins`);
    const viewersAt = async () => (await load.progress()).viewersAt;
    const note = await row.fault({ ...drilled, flows: () => run.flows(), viewersAt });
    drilled.progress(`${row.name}: the fault is over`);
    const flows = await run.flows();
    await pause(lookMs);
    const said = [note, ...(flows ? [] : ["gifts do not flow as before"])].filter(Boolean).join("; ");
    return await run.end(said, flows);
  } finally {
    await row.after?.(drilled);
  }
}
