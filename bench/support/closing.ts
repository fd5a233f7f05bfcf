/** Closes what a benchmark opened: processes, servers, connections. */
export class Closing {
  private readonly closers: (() => Promise<unknown>)[] = [];
  private closing: Promise<void> | undefined;

  /** `close` must also work for a resource that has ended by itself. */
  add(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  /** Closes all, the last opened first, and then rejects with the first failure. A second call waits for the first. */
  closeAll(): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  private async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.closers.pop(); close; close = this.closers.pop())
      await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
