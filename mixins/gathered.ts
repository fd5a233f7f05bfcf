interface Asked<Value> {
  readonly answered: Promise<Value | undefined>;
  resolve(value: Value | undefined): void;
  reject(error: unknown): void;
}

/**
 * Single look-ups made together: what is asked while earlier look-ups are under way is one query. No timer makes anybody
 * wait, so a lone question is asked at once. Nothing is remembered: an answer is of the moment it was asked.
 */
export class Gathered<Value> {
  private waiting = new Map<string, Asked<Value>>();
  private underWay = 0;
  private scheduled = false;
  private readonly load: (keys: string[]) => Promise<ReadonlyMap<string, Value>>;
  private readonly bounds: { keys: number; queries: number };

  constructor(
    load: (keys: string[]) => Promise<ReadonlyMap<string, Value>>,
    bounds: { keys: number; queries: number },
  ) {
    this.load = load;
    this.bounds = bounds;
  }

  /** `undefined` where there is none. Rejects as the query of its batch does. */
  get(key: string): Promise<Value | undefined> {
    const known = this.waiting.get(key);
    if (known) return known.answered;
    const { promise, resolve, reject } = Promise.withResolvers<Value | undefined>();
    this.waiting.set(key, { answered: promise, resolve, reject });
    this.askSoon();
    return promise;
  }

  /** Questions of one turn of the event loop go together. */
  private askSoon(): void {
    if (this.scheduled || this.underWay >= this.bounds.queries) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.waiting.size > 0 && this.underWay < this.bounds.queries) void this.ask();
    });
  }

  private async ask(): Promise<void> {
    const batch = [...this.waiting].slice(0, this.bounds.keys);
    for (const [key] of batch) this.waiting.delete(key);
    this.underWay++;
    try {
      const found = await this.load(batch.map(([key]) => key));
      for (const [key, { resolve }] of batch) resolve(found.get(key));
    } catch (error) {
      for (const [, { reject }] of batch) reject(error);
    } finally {
      this.underWay--;
      this.askSoon();
    }
  }
}
