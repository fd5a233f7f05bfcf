import { limits } from "../../config/limits.ts";
import { type Delivered, retryDelayMs } from "./message.ts";

interface Pause {
  readonly items: readonly Delivered[];
  /** Others of their batch were handled. */
  readonly isPart: boolean;
  readonly timer: NodeJS.Timeout;
  again(): void;
}

/** The pauses of items between two tries. */
export class Pauses {
  private readonly running = new Set<Pause>();
  private parts = 0;

  /**
   * Items that pause while others of their batch were handled, up to a bound: they take no room from the rest, which would
   * wait in the queue for as long as these cannot be handled.
   */
  get besides(): number {
    return Math.min(this.parts, limits.jetstream.pausingItems);
  }

  /**
   * Calls `again` after a pause, which grows with each try unless it `isShort`. `isPart`: others of their batch were
   * handled.
   */
  start(items: readonly Delivered[], about: { isPart: boolean; isShort: boolean }, again: () => void): void {
    const { isPart, isShort } = about;
    const ms = retryDelayMs(isShort ? 0 : (items[0]?.tries ?? 0));
    for (const one of items) one.tries++;
    const pause: Pause = { items, isPart, again, timer: setTimeout(() => this.end(pause), ms).unref() };
    this.running.add(pause);
    if (isPart) this.parts += items.length;
  }

  /** Ends those of items of a stream, by the server's name, at once. */
  endOf(stream: string): void {
    for (const pause of [...this.running])
      if (pause.items.some(({ of }) => of.message.info.stream === stream)) this.end(pause);
  }

  private end(pause: Pause): void {
    clearTimeout(pause.timer);
    this.running.delete(pause);
    if (pause.isPart) this.parts -= pause.items.length;
    pause.again();
  }
}
