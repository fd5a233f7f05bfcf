import type { Log } from "../broker/log.ts";

interface LoopOptions {
  /** The name of the loop in the log. */
  readonly name: string;
  /**
   * One round. Returns `true` where the next round is to follow at once. A failed round is run again, so it must be
   * repeatable.
   */
  readonly round: () => Promise<boolean>;
  /** The pause after a round without further work, unless `wake` ends it. */
  readonly idleMs: number;
  readonly errorBackoffMs: number;
  readonly log: Pick<Log, "warn">;
}

/**
 * Runs background work of a service in rounds until it is stopped. `wake` starts the next round at once; the idle poll
 * finds work that a dead node left behind.
 */
export class BackgroundLoop {
  private stopping = false;
  private woken = false;
  private interrupt: () => void = () => {};
  private readonly options: LoopOptions;
  private readonly finished: Promise<void>;

  constructor(options: LoopOptions) {
    this.options = options;
    this.finished = this.run();
  }

  wake(): void {
    this.woken = true;
    this.interrupt();
  }

  /** Resolves once the running round is over. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.finished;
  }

  private async run(): Promise<void> {
    const { name, round, idleMs, errorBackoffMs, log } = this.options;
    while (!this.stopping) {
      this.woken = false;
      try {
        const more = await round();
        if (!more && !this.woken) await this.pause(idleMs);
      } catch (error) {
        if (this.stopping) return;
        log.warn({ err: error, loop: name }, "a round of a background loop failed: the next round tries again");
        await this.pause(errorBackoffMs);
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopping) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      this.interrupt = resolve;
    });
    clearTimeout(timer);
  }
}
