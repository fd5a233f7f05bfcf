import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";

type Work = () => Promise<unknown>;

interface LaneOptions {
  /** What the work is, in the log. */
  readonly what: string;
  readonly log: Pick<Log, "warn">;
  /** How many of them run at once. */
  readonly most?: number;
}

/**
 * One kind of work, such as results, for many battles. Nobody waits for it, so work that hangs on one neighbour holds up
 * neither the scheduler's rounds nor the other kinds. For each battle it runs once at a time. Work that failed is
 * offered again by a later round, and goes behind what waits.
 */
export class Lane {
  private readonly options: LaneOptions;
  /** By battle id; a Map gives them back in the order in which they came. */
  private readonly waiting = new Map<string, Work>();
  private readonly running = new Map<string, Promise<void>>();
  private stopping = false;

  constructor(options: LaneOptions) {
    this.options = options;
  }

  /** All that is to be done, by battle id: what waits and is not among it is not done. Returns at once. */
  offer(all: ReadonlyMap<string, Work>): void {
    for (const id of this.waiting.keys()) if (!all.has(id)) this.waiting.delete(id);
    for (const [id, work] of all) if (!this.running.has(id)) this.waiting.set(id, work);
    this.fill();
  }

  /** Work on all battles together, where it does not run already. Returns at once. */
  offerOne(work: Work): void {
    this.offer(new Map([["all", work]]));
  }

  /** Starts nothing more; resolves once all that runs has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.waiting.clear();
    await Promise.all(this.running.values());
  }

  private fill(): void {
    const { most = limits.battle.stepsInFlight } = this.options;
    for (const [id, work] of this.waiting) {
      if (this.stopping || this.running.size >= most) return;
      this.waiting.delete(id);
      this.running.set(id, this.run(id, work));
    }
  }

  private async run(battleId: string, work: Work): Promise<void> {
    const { log, what } = this.options;
    try {
      await work();
    } catch (error) {
      if (!this.stopping)
        log.warn({ battleId, what, err: error }, "work on a battle failed: the next round tries again");
    }
    this.running.delete(battleId);
    this.fill();
  }
}
