import type { ItemPlace, OpenMessage } from "./message.ts";

/** Waits until no message of a stream is held, by the server's name: another node is to pull it. */
export class StreamWaits {
  private readonly wakers = new Map<string, () => void>();
  /** Those of which an item has failed meanwhile: what waits of them is given back in its order, and not handled here. */
  private readonly failing = new Set<string>();

  /** Whether somebody waits for the stream of a message. */
  has({ message }: OpenMessage): boolean {
    return this.wakers.has(message.info.stream);
  }

  /** An item could not be handled. */
  failed({ of }: ItemPlace): void {
    if (this.has(of)) this.failing.add(of.message.info.stream);
  }

  get someFail(): boolean {
    return this.failing.size > 0;
  }

  readonly isFailing = ({ message }: OpenMessage): boolean => this.failing.has(message.info.stream);

  /** Resolves once `isFree`, which is asked now and at each `progressed`. */
  async until(stream: string, isFree: () => boolean): Promise<void> {
    while (!isFree())
      await new Promise<void>((resolve) => {
        this.wakers.set(stream, resolve);
      });
    this.wakers.delete(stream);
    this.failing.delete(stream);
  }

  /** Something is no longer held. */
  progressed(): void {
    for (const wake of this.wakers.values()) wake();
  }
}
