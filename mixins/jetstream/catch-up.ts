import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { DatabaseLease } from "../mysql/database-lease.ts";

/** What a consumer of a log may have missed, and is to be told again from the books. */
export interface Missed {
  /** Nothing older was missed. */
  readonly since: Date;
  /**
   * Once it is aborted, since the service stops or another node has taken over, the catch-up rejects after the event in
   * progress.
   */
  readonly signal: AbortSignal;
  readonly log: Log;
}

interface Parts {
  readonly durable: string;
  /** Of this durable's catch-ups. */
  readonly lease: Pick<DatabaseLease, "hold" | "renew" | "giveBack">;
  readonly log: Log;
  /** See `ChannelDefinition.missed`. */
  missed(missed: Missed): Promise<void>;
}

/** Lets a consumer catch up from the books, on one node at a time. */
export class CatchUp {
  private readonly parts: Parts;
  private isRunning = false;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Runs `work` under the lease; `false` where another node has it, or this one is at it. What was to be done may be done
   * by the time it runs: it looks again. `signal` for it also tells that the lease is lost.
   */
  async alone(work: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<boolean> {
    const { lease, durable, log } = this.parts;
    if (this.isRunning) return false;
    this.isRunning = true;
    const lost = new AbortController();
    const renew = () =>
      lease.renew().then(
        (held) => held || lost.abort(new Error(`another node has the lease of the catch-up of ${durable}`)),
        (err) => log.warn({ consumer: durable, err }, "the lease of a catch-up could not be renewed: tried again"),
      );
    let timer: NodeJS.Timeout | undefined;
    try {
      if (!(await lease.hold())) return false;
      timer = setInterval(renew, limits.jetstream.catchUpLeaseMs / 4);
      await work(AbortSignal.any([stop, lost.signal]));
      return true;
    } finally {
      clearInterval(timer);
      this.isRunning = false;
      if (timer)
        await lease.giveBack().catch((err: unknown) => {
          log.warn({ consumer: durable, err }, "the lease of a catch-up was not given back: it runs out by itself");
        });
    }
  }

  /** Tells the consumer again what happened since a time; a margin for clocks that differ is added. */
  async missed(since: Date, signal: AbortSignal): Promise<void> {
    const { log, missed } = this.parts;
    signal.throwIfAborted();
    await missed({ since: new Date(since.getTime() - limits.jetstream.clockMarginMs), signal, log });
  }
}
