import type { OpenMessage } from "./message.ts";

/** Waits until no message of a stream is held, by the server's name. */
export class StreamWaits {
  private readonly wakers = new Map<string, () => void>();

  /** Whether somebody waits for the stream of a message: another node is to pull it. */
  has({ message }: OpenMessage): boolean {
    return this.wakers.has(message.info.stream);
  }

  /** Resolves once `isFree`, which is asked now and at each `progressed`. */
  async until(stream: string, isFree: () => boolean): Promise<void> {
    while (!isFree())
      await new Promise<void>((resolve) => {
        this.wakers.set(stream, resolve);
      });
    this.wakers.delete(stream);
  }

  /** Something is no longer held. */
  progressed(): void {
    for (const wake of this.wakers.values()) wake();
  }
}
