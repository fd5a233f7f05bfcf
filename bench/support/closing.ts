/** What a benchmark opened and must not leave behind: processes, servers, connections. */
export class Closing {
  private readonly closers: (() => Promise<unknown>)[] = [];
  private closing: Promise<void> | undefined;

  /** `close` must bear being called for what has ended by itself. */
  add(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  /** Closes the last opened first. All are tried; rejects with the first failure once they were. Later calls wait. */
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
