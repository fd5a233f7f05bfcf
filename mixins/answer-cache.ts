import { LRUCache } from "lru-cache";

interface Kept<Answer> {
  readonly answer: Answer;
}

interface Question {
  readonly askedAt: number;
}

/**
 * A bounded cache of answers, each asked for when it is missing. Those who want one key at the same time share one
 * question, for `ttlMs`: whoever comes later asks anew, since the first question may wait for a node that died. An answer
 * is at most `ttlMs` old, counted from when it was asked. A failed question rejects for those who share it and is not
 * cached.
 */
export class AnswerCache<Key extends string | number, Answer> {
  private readonly kept: LRUCache<Key, Kept<Answer>, () => Promise<Answer>>;
  private readonly keeps: (answer: Answer) => boolean;
  private readonly ttlMs: number;
  /** The latest question of each key, while it is under way. */
  private readonly questions = new Map<Key, Question>();

  /** @param keeps which answers are cached; the others are asked for again by the next one. Default: all. */
  constructor(options: { max: number; ttlMs: number; keeps?: (answer: Answer) => boolean }) {
    const { max, ttlMs, keeps = () => true } = options;
    this.keeps = keeps;
    this.ttlMs = ttlMs;
    this.kept = new LRUCache({
      max,
      ttl: ttlMs,
      // An entry that is forgotten or evicted during its question: the answer goes to those who wait, not to the cache.
      ignoreFetchAbort: true,
      fetchMethod: async (key, _stale, { options: entry, context: ask }) => {
        const question = { askedAt: performance.now() };
        this.questions.set(key, question);
        try {
          const answer = await ask();
          // 0 would mean for ever.
          entry.ttl = Math.max(1, ttlMs - (performance.now() - question.askedAt));
          return { answer };
        } finally {
          if (this.questions.get(key) === question) this.questions.delete(key);
        }
      },
    });
  }

  /** Rejects as `ask` does. */
  async get(key: Key, ask: () => Promise<Answer>): Promise<Answer> {
    const question = this.questions.get(key);
    // The cache itself shares a question for as long as it takes.
    if (question && performance.now() - question.askedAt > this.ttlMs) this.kept.delete(key);
    const found = await this.kept.forceFetch(key, { context: ask });
    if (!this.keeps(found.answer) && this.kept.peek(key) === found) this.kept.delete(key);
    return found.answer;
  }

  /** Call it when the answer changed. Questions under way are answered, and their answers are not cached. */
  forget(key: Key): void {
    this.kept.delete(key);
  }
}
