import type { StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";

/** How full a store is: a stream that refuses at its bounds, or the account. */
export interface Level {
  /** Of its bound in bytes or in messages, whichever is used more. */
  readonly share: number;
  readonly text: string;
}

/** The level of a stream that refuses at its bounds. One that drops its oldest messages instead is never full. */
export function levelOf({ config, state }: Pick<StreamInfo, "config" | "state">): Level | undefined {
  if (config.discard !== "new") return undefined;
  const levels = [
    { used: state.bytes, bound: config.max_bytes, of: "bytes" },
    { used: state.messages, bound: config.max_msgs, of: "messages" },
  ].flatMap(({ used, bound, of }) => (bound > 0 ? [{ share: used / bound, text: `${used} of ${bound} ${of}` }] : []));
  return levels.sort((a, b) => b.share - a.share)[0];
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
    const { fillingFrom } = limits.jetstream;
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
    const { nearlyFullFrom, fillingLoggedMs } = limits.jetstream;
    const isError = share >= nearlyFullFrom;
    const last = this.logged.get(store);
    if (last && this.now() - last.at < fillingLoggedMs && last.isError >= isError) return;
    this.logged.set(store, { at: this.now(), isError });
    const about = { store, used: text, share: percent(share) };
    if (isError) this.log.error(about, "a store is nearly full: at its bound it refuses messages");
    else this.log.warn(about, "a store is filling: at its bound it refuses messages");
  }

  /** Every store that is filling, one sentence each. */
  filling(): string[] {
    return this.from(limits.jetstream.fillingFrom);
  }

  /** Those that are so full that the service is not ready. */
  nearlyFull(): string[] {
    return this.from(limits.jetstream.notReadyFrom);
  }

  private from(least: number): string[] {
    return [...this.levels]
      .filter(([, { share }]) => share >= least)
      .map(([store, { share, text }]) => `${store} is filled to ${percent(share)}: ${text}`);
  }
}
