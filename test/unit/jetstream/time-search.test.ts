import { firstWhere, sequenceAt, spanOf } from "../../../mixins/jetstream/time-search.ts";

/** A stream of messages by sequence and time; sequences may be missing, as in a queue. */
function streamOf(messages: readonly (readonly [seq: number, ms: number])[]) {
  let requests = 0;
  const streams = {
    async getMessage(_stream: string, { seq }: { seq: number }) {
      requests++;
      const found = messages.find(([own]) => own >= seq);
      if (!found) throw Object.assign(new Error("no message found"), { code: "404" });
      return { seq: found[0], time: new Date(found[1]) };
    },
    async info() {
      const [first] = messages;
      const state = { first_seq: first?.[0] ?? 1, last_seq: messages.at(-1)?.[0] ?? 0, messages: messages.length };
      return { state: { ...state, first_ts: new Date(first?.[1] ?? 0).toISOString() } };
    },
  };
  return { manager: { streams } as never, requests: () => requests };
}

const from = { stream: "S", subject: ">" };
const gappy = [
  [3, 100],
  [4, 100],
  [9, 200],
  [50, 200],
  [51, 300],
] as const;

test.each([
  [0, 3],
  [100, 3],
  [101, 9],
  [200, 9],
  [201, 51],
  [300, 51],
  [301, 52],
])("all messages before the sequence of time %d are earlier, and none after it is", async (ms, expected) => {
  const { manager } = streamOf(gappy);
  const sequence = await sequenceAt(manager, from, await spanOf(manager, "S"), ms);
  const next = gappy.find(([seq]) => seq >= sequence)?.[0] ?? 52;
  expect(next).toBe(expected);
});

test("a time is found among a million messages with as many requests as the number has bits", async () => {
  let requests = 0;
  const streams = {
    getMessage: async (_stream: string, { seq }: { seq: number }) => {
      requests++;
      return { seq, time: new Date(seq * 10) };
    },
  };
  const sequence = await sequenceAt({ streams } as never, from, { first: 1, last: 1_000_000 }, 7_654_321);
  expect(sequence).toBe(765_433);
  expect(requests).toBeLessThanOrEqual(21);
});

test("a search ends at its bound, and tells that from the end of the stream", async () => {
  const { manager, requests } = streamOf(gappy);
  const none = { isIt: () => false };
  expect(await firstWhere(manager, from, 1, { most: 3, ...none })).toEqual({ found: undefined, ended: false });
  expect(requests()).toBe(3);
  expect(await firstWhere(manager, from, 1, { most: 100, ...none })).toEqual({ found: undefined, ended: true });
  const { found } = await firstWhere(manager, from, 1, { most: 100, isIt: ({ seq }) => seq === 50 });
  expect(found?.seq).toBe(50);
});

test("an empty stream has no first time, and nothing is found in it", async () => {
  const { manager } = streamOf([]);
  const span = await spanOf(manager, "S");
  expect(span.firstMs).toBeUndefined();
  expect(await sequenceAt(manager, from, span, 5)).toBe(1);
});

test("a stream that cannot be asked is unavailable, and nothing is taken for not there", async () => {
  const streams = {
    getMessage: async () => Promise.reject(new Error("503")),
    info: async () => Promise.reject(new Error("x")),
  };
  const search = firstWhere({ streams } as never, from, 1, { most: 5, isIt: () => true });
  await expect(search).rejects.toMatchObject({ type: "unavailable" });
  await expect(spanOf({ streams } as never, "S")).rejects.toMatchObject({ type: "unavailable" });
});
