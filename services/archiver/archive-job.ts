import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { Mover, type MoverOptions, type Step } from "../../mixins/archive/mover.ts";
import { SegmentDiffers } from "../../mixins/archive/sealed-filter.ts";
import { LeasedLoop } from "../../mixins/leased-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { obstacleOnBus } from "./obstacle.ts";
import type { Target } from "./targets.ts";

/** What tests of the job change. */
export interface ArchiveSettings {
  readonly everyMs: number;
  readonly settleMs: number;
  readonly segmentRows: number;
  readonly sliceRows: number;
  readonly rowsPerSecond: number;
}

export const usualArchive: ArchiveSettings = {
  everyMs: limits.archive.everyMs,
  settleMs: limits.archive.settleMs,
  segmentRows: limits.archive.segmentRows,
  sliceRows: limits.archive.sliceRows,
  rowsPerSecond: limits.archive.rowsPerSecond,
};

const moved = {
  name: "ovation.archive.moved",
  description: "Rows that this node has moved into archive tables",
} as const;
const failed = {
  name: "ovation.archive.failures",
  description: "Steps of the archive that failed; what: unavailable, differs (rows are not what was counted), other",
} as const;

const waits = {
  name: "ovation.archive.waits",
  description:
    "1 where the archive of a table waits: nodes of earlier builds run, a lock was not had, or filters are loaded",
} as const;

const troubles = ["unavailable", "differs", "other"] as const;

/** What the job needs of its service. */
type Archiver = Service & MysqlState & { readonly keys: NamedKeys; readonly targets: readonly Target[] };

const aboutOf = ({ table, server }: Target) => ({ table: table.table, server });

/** Moves closed months, one node at a time: a step of each table on each server in turn, with rests between slices. */
export class ArchiveJob {
  private readonly service: Archiver;
  private readonly settings: ArchiveSettings;
  private readonly movers: readonly { readonly target: Target; readonly mover: Mover }[];
  private readonly troubles = new Map<Target, string>();
  private readonly stopping = new AbortController();
  private loop: LeasedLoop | undefined;

  constructor(service: Archiver) {
    this.service = service;
    this.settings = service.settings as ArchiveSettings;
    const { metrics } = service.broker;
    metrics.register({ type: "counter", ...moved, labelNames: ["service", "table", "server"] });
    metrics.register({ type: "gauge", ...waits, labelNames: ["service", "table", "server"] });
    metrics.register({ type: "counter", ...failed, labelNames: ["service", "table", "server", "what"] });
    for (const target of service.targets)
      for (const what of troubles) metrics.increment(failed.name, { ...this.labelsOf(target), what }, 0);
    this.movers = service.targets.map((target) => ({ target, mover: new Mover(this.optionsOf(target)) }));
  }

  start(): void {
    this.loop = new LeasedLoop(this.service, {
      lease: "archive",
      leaseMs: limits.archive.leaseMs,
      name: "archive",
      everyMs: this.settings.everyMs,
      round: () => this.round(),
    });
  }

  /** Looks at once whether a month is due. */
  wake(): void {
    this.loop?.wake();
  }

  /** Resolves once the running step has ended; a segment that is being counted is counted again later. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop?.stop();
  }

  /** What keeps a table, or failed last. */
  troubleOf(target: Target): string | null {
    return this.troubles.get(target) ?? null;
  }

  /** A step of each table. Returns whether one of them got on. */
  private async round(): Promise<boolean> {
    let more = false;
    for (const { target, mover } of this.movers) more = (await this.stepOf(target, mover)) || more;
    return more;
  }

  private async stepOf(target: Target, mover: Mover): Promise<boolean> {
    const startedAt = performance.now();
    try {
      const step = await mover.step();
      this.note(target, step);
      if (step.did === "nothing" || step.did === "waits") return false;
      if (step.rows > 0) await this.rest(step.rows, performance.now() - startedAt);
      return true;
    } catch (error) {
      if (!this.stopping.signal.aborted) this.fail(target, error);
      return false;
    }
  }

  private note(target: Target, step: Step): void {
    const { logger, broker } = this.service;
    broker.metrics.set(waits.name, step.did === "waits" ? 1 : 0, this.labelsOf(target));
    if (step.did === "waits") this.troubles.set(target, `waits: ${step.why}`);
    else this.troubles.delete(target);
    if (step.did === "nothing" || step.did === "waits") return;
    if (step.rows > 0) broker.metrics.increment(moved.name, this.labelsOf(target), step.rows);
    if (step.did === "emptying") return;
    logger.info({ ...aboutOf(target), segment: step.segment, state: step.did }, "the archive got on");
  }

  private fail(target: Target, error: unknown): void {
    const { logger, broker } = this.service;
    const message = error instanceof Error ? error.message : String(error);
    const what = error instanceof SegmentDiffers ? "differs" : isUnavailable(error) ? "unavailable" : "other";
    this.troubles.set(target, message);
    broker.metrics.increment(failed.name, { ...this.labelsOf(target), what });
    const text =
      what === "differs"
        ? "archived rows are not what was counted before they were moved: run npm run verify"
        : "a step of the archive failed: it is tried again";
    logger[what === "differs" ? "error" : "warn"]({ err: error, ...aboutOf(target) }, text);
  }

  /** So that the database has time for gifts: at least as long as the slice took, and no more rows a second than allowed. */
  private rest(rows: number, tookMs: number): Promise<void> {
    const { least, most } = limits.archive.restMs;
    const ofRate = (rows / this.settings.rowsPerSecond) * 1_000 - tookMs;
    return pause(Math.min(most, Math.max(least, tookMs, ofRate)));
  }

  private labelsOf(target: Target) {
    return { service: this.service.name, ...aboutOf(target) };
  }

  private optionsOf({ table, mysql, url, months, afterDays }: Target): MoverOptions {
    const { segmentRows, sliceRows, settleMs } = this.settings;
    return {
      ...{ table, mysql, url, months, afterDays, segmentRows, sliceRows, settleMs },
      keys: this.service.keys,
      obstacle: () => obstacleOnBus(this.service.broker),
      signal: this.stopping.signal,
    };
  }
}
