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

  /** Resolves once none is left, or the time is over. */
  async ended(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    const noneLeft = async () => {
      while (this.running.size > 0) await Promise.allSettled(this.running);
    };
    await Promise.race([noneLeft(), late]).finally(() => clearTimeout(timer));
  }
}
