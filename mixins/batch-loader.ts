interface Request<Value> {
  readonly answer: Promise<Value | undefined>;
  resolve(value: Value | undefined): void;
  reject(error: unknown): void;
}

/** What a query has for a key that could not be loaded with the others: `get` rejects with the error. */
export class NotLoaded {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Loads values by key, many keys in one query: keys that are requested while queries run go into the next query. There
 * is no timer, so a single key is loaded at once. Nothing is cached.
 */
export class BatchLoader<Value> {
  private waiting = new Map<string, Request<Value>>();
  private running = 0;
  private scheduled = false;
  private readonly load: (keys: string[]) => Promise<ReadonlyMap<string, Value | NotLoaded>>;
  private readonly bounds: { keys: number; queries: number };

  /** `bounds`: keys in one query, and queries that run at once. */
  constructor(
    load: (keys: string[]) => Promise<ReadonlyMap<string, Value | NotLoaded>>,
    bounds: { keys: number; queries: number },
  ) {
    this.load = load;
    this.bounds = bounds;
  }

  /** `undefined` where `load` returned no value for the key. Rejects with the error of its query. */
  get(key: string): Promise<Value | undefined> {
    const known = this.waiting.get(key);
    if (known) return known.answer;
    const { promise, resolve, reject } = Promise.withResolvers<Value | undefined>();
    this.waiting.set(key, { answer: promise, resolve, reject });
    this.schedule();
    return promise;
  }

  /** Keys that are requested in one turn of the event loop share a query. */
  private schedule(): void {
    if (this.scheduled || this.running >= this.bounds.queries) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.waiting.size > 0 && this.running < this.bounds.queries) void this.query();
    });
  }

  private async query(): Promise<void> {
    const batch = [...this.waiting].slice(0, this.bounds.keys);
    for (const [key] of batch) this.waiting.delete(key);
    this.running++;
    try {
      const found = await this.load(batch.map(([key]) => key));
      for (const [key, { resolve, reject }] of batch) {
        const value = found.get(key);
        if (value instanceof NotLoaded) reject(value.error);
        else resolve(value);
      }
    } catch (error) {
      for (const [, { reject }] of batch) reject(error);
    } finally {
      this.running--;
      this.schedule();
    }
  }
}
