import type { Log } from "../broker/log.ts";
import { limits } from "../config/limits.ts";

/** How full a store is that refuses at its bound. */
export interface Level {
  /** From 0 to 1. */
  readonly share: number;
  readonly text: string;
}

const percent = (share: number) => `${Math.floor(share * 100)} %`;

/** The stores that are filling: for the log, and for the health report long before they refuse. */
export class Filling {
  private readonly log: Log;
  private readonly now: () => number;
  private readonly levels = new Map<string, Level>();
  private readonly logged = new Map<string, { at: number; isError: boolean }>();

  constructor(log: Log, now: () => number = Date.now) {
    this.log = log;
    this.now = now;
  }

  /** Sets a store's level, as of a check; `undefined` where it has no bound at which it refuses. */
  see(store: string, level: Level | undefined): void {
    const { fillingFrom } = limits.stores;
    if (level !== undefined && level.share >= fillingFrom) {
      this.levels.set(store, level);
      this.report(store, level);
    } else if (this.levels.delete(store)) {
      this.logged.delete(store);
      this.log.info({ store, ...level }, "a store has room again");
    }
  }

  /** A line when it begins, one when it gets worse, and one every ten minutes. */
  private report(store: string, { share, text }: Level): void {
    const { nearlyFullFrom, fillingLoggedMs } = limits.stores;
    const isError = share >= nearlyFullFrom;
    const last = this.logged.get(store);
    if (last && this.now() - last.at < fillingLoggedMs && last.isError >= isError) return;
    this.logged.set(store, { at: this.now(), isError });
    const about = { store, used: text, share: percent(share) };
    if (isError) this.log.error(about, "a store is nearly full: at its bound it refuses");
    else this.log.warn(about, "a store is filling: at its bound it refuses");
  }

  /** Every store that is filling, one sentence each. */
  filling(): string[] {
    return this.from(limits.stores.fillingFrom);
  }

  /** Those that are so full that the service is not ready. `spared`: a store that the service is ready without. */
  nearlyFull(spared?: string): string[] {
    return this.from(limits.stores.notReadyFrom, spared);
  }

  private from(least: number, spared?: string): string[] {
    return [...this.levels]
      .filter(([store, { share }]) => share >= least && store !== spared)
      .map(([store, { share, text }]) => `${store} is filled to ${percent(share)}: ${text}`);
  }
}
