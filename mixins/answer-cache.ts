import { LRUCache } from "lru-cache";

interface Kept<Answer> {
  readonly answer: Answer;
}

/**
 * A bounded cache of answers, each requested when it is missing. Concurrent callers of one key share one request. An
 * answer is at most `ttlMs` old, counted from its request. A failed request rejects for all who share it, and is not
 * cached.
 */
export class AnswerCache<Key extends string | number, Answer> {
  private readonly kept: LRUCache<Key, Kept<Answer>, () => Promise<Answer>>;
  private readonly keeps: (answer: Answer) => boolean;

  /** @param keeps which answers are cached; by default all */
  constructor(options: { max: number; ttlMs: number; keeps?: (answer: Answer) => boolean }) {
    const { max, ttlMs, keeps = () => true } = options;
    this.keeps = keeps;
    this.kept = new LRUCache({
      max,
      ttl: ttlMs,
      // If the entry is removed during its request, the waiting callers get the answer, and it is not cached.
      ignoreFetchAbort: true,
      async fetchMethod(_key, _stale, { options: entry, context: ask }) {
        const askedAt = performance.now();
        const answer = await ask();
        // 0 would mean for ever.
        entry.ttl = Math.max(1, ttlMs - (performance.now() - askedAt));
        return { answer };
      },
    });
  }

  /** Rejects as `ask` does. */
  async get(key: Key, ask: () => Promise<Answer>): Promise<Answer> {
    const found = await this.kept.forceFetch(key, { context: ask });
    if (!this.keeps(found.answer) && this.kept.peek(key) === found) this.kept.delete(key);
    return found.answer;
  }

  /** Call it when the answer has changed. Running requests are answered, and their answers are not cached. */
  forget(key: Key): void {
    this.kept.delete(key);
  }
}
