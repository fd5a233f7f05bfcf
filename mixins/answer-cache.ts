import { LRUCache } from "lru-cache";

interface Kept<Answer> {
  readonly answer: Answer;
}

interface Pending {
  readonly askedAt: number;
}

/**
 * A bounded cache of answers, each requested when it is missing. Concurrent callers of one key share one request, for
 * `ttlMs`: later callers start a new one, since the first may wait for a dead node. An answer is at most `ttlMs` old,
 * counted from its request. A failed request rejects for all who share it, and is not cached.
 */
export class AnswerCache<Key extends string | number, Answer> {
  private readonly kept: LRUCache<Key, Kept<Answer>, () => Promise<Answer>>;
  private readonly keeps: (answer: Answer) => boolean;
  private readonly ttlMs: number;
  /** The latest request of each key, while it is pending. */
  private readonly pending = new Map<Key, Pending>();

  /** @param keeps which answers are cached; by default all */
  constructor(options: { max: number; ttlMs: number; keeps?: (answer: Answer) => boolean }) {
    const { max, ttlMs, keeps = () => true } = options;
    this.keeps = keeps;
    this.ttlMs = ttlMs;
    this.kept = new LRUCache({
      max,
      ttl: ttlMs,
      // If the entry is removed during its request, the waiting callers get the answer, and it is not cached.
      ignoreFetchAbort: true,
      fetchMethod: async (key, _stale, { options: entry, context: ask }) => {
        const request = { askedAt: performance.now() };
        this.pending.set(key, request);
        try {
          const answer = await ask();
          // 0 would mean for ever.
          entry.ttl = Math.max(1, ttlMs - (performance.now() - request.askedAt));
          return { answer };
        } finally {
          if (this.pending.get(key) === request) this.pending.delete(key);
        }
      },
    });
  }

  /** An answer that is cached; `undefined` where there is none: ask `get`. */
  cached(key: Key): Answer | undefined {
    return this.kept.get(key)?.answer;
  }

  /** Rejects as `ask` does. */
  async get(key: Key, ask: () => Promise<Answer>): Promise<Answer> {
    const request = this.pending.get(key);
    // The cache itself shares a pending request for as long as it takes.
    if (request && performance.now() - request.askedAt > this.ttlMs) this.kept.delete(key);
    const found = await this.kept.forceFetch(key, { context: ask });
    if (!this.keeps(found.answer) && this.kept.peek(key) === found) this.kept.delete(key);
    return found.answer;
  }

  /** Call it when the answer has changed. Running requests are answered, and their answers are not cached. */
  forget(key: Key): void {
    this.kept.delete(key);
  }
}
