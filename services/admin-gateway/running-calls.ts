/** Calls that are being carried out, also those whose clients have left: a stop waits for them. */
export class RunningCalls {
  private readonly running = new Set<Promise<unknown>>();

  /** Returns the promise itself. */
  add<T>(call: Promise<T>): Promise<T> {
    const forget = () => this.running.delete(call);
    this.running.add(call);
    call.then(forget, forget);
    return call;
  }

  /** Resolves once none is left. Each is bounded by the time limits of its calls. */
  async ended(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }
}
