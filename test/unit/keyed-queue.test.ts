import fc from "fast-check";
import { KeyedQueue } from "../../mixins/keyed-queue.ts";

const message = (key: string, command: number) => ({ key, command });

describe("keyed queue", () => {
  test("messages of a key are taken in the order in which they were put, whatever is taken, put back and done in between", () => {
    const step = fc.oneof(
      fc.record({ put: fc.constantFrom("1", "2", "3") }),
      fc.record({ take: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ end: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new KeyedQueue<ReturnType<typeof message>>();
        const out = new Map<string, number[]>();
        const batches: [string, ReturnType<typeof message>[]][] = [];
        let next = 0;
        const end = (back: boolean) => {
          const batch = batches.shift();
          if (!batch) return;
          const [userId, messages] = batch;
          if (back) return queue.putBack(userId, messages);
          out.set(userId, [...(out.get(userId) ?? []), ...messages.map(({ command }) => command)]);
          queue.done(userId);
        };
        for (const one of steps) {
          if ("put" in one) queue.put(message(one.put, next++));
          else if ("take" in one) {
            const taken = queue.take(one.take);
            for (const userId of taken.keys()) expect(batches.some(([busy]) => busy === userId)).toBe(false);
            expect([...taken.values()].flat().length).toBeLessThanOrEqual(one.take);
            batches.push(...([...taken] as typeof batches));
          } else end(one.end);
        }
        while (batches.length > 0 || queue.size > 0) {
          batches.push(...([...queue.take(100)] as typeof batches));
          end(false);
        }
        expect([...out.values()].flat().length).toBe(next);
        for (const commands of out.values()) expect(commands).toEqual([...commands].sort((a, b) => a - b));
      }),
    );
  });

  test("removed messages are gone; taken ones and all others keep their order", () => {
    const queue = new KeyedQueue<ReturnType<typeof message>>();
    for (const [key, command] of [
      ["a", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
      ["c", 5],
    ] as const)
      queue.put(message(key, command));
    expect([...queue.take(1)]).toEqual([["a", [message("a", 1)]]]);
    expect(queue.remove(({ command }) => command === 2 || command === 3)).toEqual([message("a", 2), message("b", 3)]);
    expect(queue.size).toBe(2);
    queue.done("a");
    expect([...queue.take(9).values()].flat()).toEqual([message("c", 5), message("a", 4)]);
  });
});
