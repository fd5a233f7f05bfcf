import { AnswerCache } from "../../mixins/answer-cache.ts";

const ttlMs = 500;
/** What the cache reads the time from. */
let now = 1_000_000;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["performance"] });
  jest.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** Lets time pass; the cache rereads the clock in a timer. */
function pass(ms: number): void {
  now += ms;
  jest.runOnlyPendingTimers();
}

const all = () => new AnswerCache<number, string | null>({ max: 3, ttlMs });
const found = () => new AnswerCache<number, string | null>({ max: 3, ttlMs, keeps: (answer) => answer !== null });

/** Questions that are answered by hand. */
function slow() {
  const questions: PromiseWithResolvers<string | null>[] = [];
  const ask = () => {
    const question = Promise.withResolvers<string | null>();
    questions.push(question);
    return question.promise;
  };
  return { ask, questions };
}

test("a crowd that wants two keys at once asks two questions", async () => {
  const cache = all();
  const asked: number[] = [];
  const ask = (key: number) => async () => {
    asked.push(key);
    return `answer ${key}`;
  };
  const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(1 + (i % 2), ask(1 + (i % 2)))));
  expect(new Set(crowd)).toEqual(new Set(["answer 1", "answer 2"]));
  expect(asked).toEqual([1, 2]);
});

test("an answer is cached until its time is over", async () => {
  const cache = all();
  const ask = jest.fn(async () => "7");
  await cache.get(1, ask);
  pass(ttlMs - 1);
  expect(await cache.get(1, ask)).toBe("7");
  expect(ask).toHaveBeenCalledTimes(1);
  pass(2);
  await cache.get(1, ask);
  expect(ask).toHaveBeenCalledTimes(2);
});

test("an answer that was long on its way is cached for a shorter time: its age counts from the question", async () => {
  const cache = all();
  const { ask, questions } = slow();
  const first = cache.get(1, ask);
  pass(ttlMs - 10);
  questions[0]?.resolve("7");
  expect(await first).toBe("7");
  pass(11);
  expect(await cache.get(1, async () => "8")).toBe("8");
});

test("a question that nobody answers is shared no longer than an answer lives, and whoever shares it gets its answer", async () => {
  const cache = all();
  const { ask, questions } = slow();
  const first = cache.get(1, ask);
  pass(ttlMs);
  const second = cache.get(1, ask);
  expect(questions).toHaveLength(1);
  pass(1);
  expect(await cache.get(1, async () => "8")).toBe("8");
  questions[0]?.resolve("7");
  expect([await first, await second]).toEqual(["7", "7"]);
  expect(await cache.get(1, ask)).toBe("8");
});

test("the end of an old question leaves the newer one shared", async () => {
  const cache = all();
  const { ask, questions } = slow();
  const first = cache.get(1, ask);
  pass(ttlMs + 1);
  const second = cache.get(1, ask);
  questions[0]?.resolve("7");
  expect(await first).toBe("7");
  const third = cache.get(1, ask);
  pass(ttlMs + 1);
  const fourth = cache.get(1, ask);
  expect(questions).toHaveLength(3);
  questions[1]?.resolve("8");
  expect([await second, await third]).toEqual(["8", "8"]);
  questions[2]?.resolve("9");
  expect(await fourth).toBe("9");
});

test("an absence is cached like any answer, unless only what is found is to be kept", async () => {
  const ask = jest.fn(async () => null);
  const [everything, onlyFound] = [all(), found()];
  expect([await everything.get(1, ask), await everything.get(1, ask)]).toEqual([null, null]);
  expect(ask).toHaveBeenCalledTimes(1);
  expect([await onlyFound.get(1, ask), await onlyFound.get(1, ask)]).toEqual([null, null]);
  expect(ask).toHaveBeenCalledTimes(3);
});

test("a failed question is told to all who share it, and the next one asks again", async () => {
  const cache = all();
  const { ask, questions } = slow();
  const shared = [cache.get(1, ask), cache.get(1, ask)];
  questions[0]?.reject(new Error("away"));
  for (const result of await Promise.allSettled(shared)) expect(result).toMatchObject({ reason: { message: "away" } });
  expect(await cache.get(1, async () => "7")).toBe("7");
  expect(questions).toHaveLength(1);
});

test("a failed question does not bring back the answer that it was to replace", async () => {
  const cache = all();
  await cache.get(1, async () => "7");
  pass(ttlMs + 1);
  await expect(cache.get(1, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(await cache.get(1, async () => "8")).toBe("8");
});

test.each(["7", null])(
  "a key that is forgotten is asked for again, and what was under way (%p) is used once",
  async (old) => {
    for (const cache of [all(), found()]) {
      const { ask, questions } = slow();
      const early = cache.get(1, ask);
      cache.forget(1);
      const late = cache.get(1, ask);
      questions[0]?.resolve(old);
      expect(await early).toBe(old);
      questions[1]?.resolve("8");
      expect(await late).toBe("8");
      expect(await cache.get(1, ask)).toBe("8");
      expect(questions).toHaveLength(2);
      cache.forget(1);
      expect(await cache.get(1, async () => "9")).toBe("9");
    }
  },
);

test("whoever waits for an answer gets it, however many keys are asked for meanwhile", async () => {
  const cache = all();
  const { ask, questions } = slow();
  const answers = Array.from({ length: 10 }, (_, key) => cache.get(key, ask));
  for (const [key, question] of questions.entries()) question.resolve(String(key));
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 10 }, (_, key) => String(key)));
});
