import { limits } from "../../config/limits.ts";
import { type Delivered, retryDelayMs } from "./message.ts";

/** Items that are tried again later, each time after a longer pause. */
export class Pauses {
  private parts = 0;

  /**
   * Items that pause while others of their batch were handled, up to a bound: they take no room from the rest, which would
   * wait in the queue for as long as these cannot be handled.
   */
  get besides(): number {
    return Math.min(this.parts, limits.jetstream.pausingItems);
  }

  /** `isPart`: others of their batch were handled. `again` is called after the pause. */
  begin(items: readonly Delivered[], isPart: boolean, again: () => void): void {
    const delayMs = retryDelayMs(items[0]?.tries ?? 0);
    for (const one of items) one.tries++;
    const parts = isPart ? items.length : 0;
    this.parts += parts;
    const over = () => {
      this.parts -= parts;
      again();
    };
    setTimeout(over, delayMs).unref();
  }
}
