import fc from "fast-check";
import { Mailboxes } from "../../mixins/mailboxes.ts";

const letter = (key: string, command: number) => ({ key, command });

describe("mailboxes", () => {
  test("a key's letters come out in the order they were put, whatever is taken, put back and finished between", () => {
    const step = fc.oneof(
      fc.record({ put: fc.constantFrom("1", "2", "3") }),
      fc.record({ take: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ end: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const boxes = new Mailboxes<ReturnType<typeof letter>>();
        const out = new Map<string, number[]>();
        const hands: [string, ReturnType<typeof letter>[]][] = [];
        let next = 0;
        const end = (back: boolean) => {
          const hand = hands.shift();
          if (!hand) return;
          const [userId, letters] = hand;
          if (back) return boxes.putBack(userId, letters);
          out.set(userId, [...(out.get(userId) ?? []), ...letters.map(({ command }) => command)]);
          boxes.done(userId);
        };
        for (const one of steps) {
          if ("put" in one) boxes.put(letter(one.put, next++));
          else if ("take" in one) {
            const taken = boxes.take(one.take);
            for (const userId of taken.keys()) expect(hands.some(([busy]) => busy === userId)).toBe(false);
            expect([...taken.values()].flat().length).toBeLessThanOrEqual(one.take);
            hands.push(...([...taken] as typeof hands));
          } else end(one.end);
        }
        while (hands.length > 0 || boxes.size > 0) {
          hands.push(...([...boxes.take(100)] as typeof hands));
          end(false);
        }
        expect([...out.values()].flat().length).toBe(next);
        for (const commands of out.values()) expect(commands).toEqual([...commands].sort((a, b) => a - b));
      }),
    );
  });

  test("letters that are removed are gone, those handed out and all others stay in order", () => {
    const boxes = new Mailboxes<ReturnType<typeof letter>>();
    for (const [key, command] of [
      ["a", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
      ["c", 5],
    ] as const)
      boxes.put(letter(key, command));
    expect([...boxes.take(1)]).toEqual([["a", [letter("a", 1)]]]);
    expect(boxes.remove(({ command }) => command === 2 || command === 3)).toEqual([letter("a", 2), letter("b", 3)]);
    expect(boxes.size).toBe(2);
    boxes.done("a");
    expect([...boxes.take(9).values()].flat()).toEqual([letter("c", 5), letter("a", 4)]);
  });
});
