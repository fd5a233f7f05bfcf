import type { Log } from "../broker/log.ts";

interface LoopOptions {
  /** For the log: what is late while the loop fails. */
  readonly name: string;
  /** One round; resolves to whether there may be more to do at once. Must be able to run again after a failure. */
  readonly round: () => Promise<boolean>;
  /** Longest pause while there is nothing to do and nobody wakes the loop. */
  readonly idleMs: number;
  readonly errorBackoffMs: number;
  readonly log: Pick<Log, "warn">;
}

/**
 * Work that a service does beside its actions, in rounds, until it is stopped. Woken at once when there is something to
 * do; the idle poll is for what was left behind by a node that died.
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
        log.warn({ err: error, loop: name }, "a round failed: its work stays and is tried again");
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
