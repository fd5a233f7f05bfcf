import { limits } from "../../config/limits.ts";
import { type Delivered, retryDelayMs } from "./message.ts";

interface Pause {
  readonly items: readonly Delivered[];
  readonly isPartial: boolean;
  readonly timer: NodeJS.Timeout;
  again(): void;
}

/** The pauses of items between two tries. */
export class Pauses {
  private readonly running = new Set<Pause>();
  private parts = 0;

  /**
   * Items that pause after a partial failure, up to a bound: they take no room from the rest, which would wait in the queue
   * for as long as these cannot be handled.
   */
  get besides(): number {
    return Math.min(this.parts, limits.jetstream.pausingItems);
  }

  /**
   * Calls `again` after a pause, which grows with each try unless it `isShort`. `isPartial`: the handler named what it did
   * not handle, so others may go on.
   */
  start(items: readonly Delivered[], about: { isPartial: boolean; isShort: boolean }, again: () => void): void {
    const { isPartial, isShort } = about;
    const ms = retryDelayMs(isShort ? 0 : (items[0]?.tries ?? 0));
    for (const one of items) one.tries++;
    const pause: Pause = { items, isPartial, again, timer: setTimeout(() => this.end(pause), ms).unref() };
    this.running.add(pause);
    if (isPartial) this.parts += items.length;
  }

  /** Ends those of items of a stream, by the server's name, at once. */
  endOf(stream: string): void {
    for (const pause of [...this.running])
      if (pause.items.some(({ of }) => of.message.info.stream === stream)) this.end(pause);
  }

  private end(pause: Pause): void {
    clearTimeout(pause.timer);
    this.running.delete(pause);
    if (pause.isPartial) this.parts -= pause.items.length;
    pause.again();
  }
}
