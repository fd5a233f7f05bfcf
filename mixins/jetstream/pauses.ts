import type { Delivered } from "./message.ts";

interface Pause {
  readonly items: readonly Delivered[];
  readonly timer: NodeJS.Timeout;
  again(): void;
}

/** The pauses of items between two tries. */
export class Pauses {
  private readonly running = new Set<Pause>();

  /** Calls `again` once the pause has ended. */
  start(items: readonly Delivered[], ms: number, again: () => void): void {
    const pause: Pause = { items, again, timer: setTimeout(() => this.end(pause), ms).unref() };
    this.running.add(pause);
  }

  /** Ends those of items of a stream, by the server's name, at once. */
  endOf(stream: string): void {
    for (const pause of [...this.running])
      if (pause.items.some(({ of }) => of.message.info.stream === stream)) this.end(pause);
  }

  private end(pause: Pause): void {
    clearTimeout(pause.timer);
    this.running.delete(pause);
    pause.again();
  }
}
